// The public API of every published package, in api/: `pnpm api` writes it, `pnpm api --check` fails where it has
// changed. Entries are those of `exports` in package.json.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor'

const isCheck = process.argv.includes('--check')
const reports = resolve('api')
mkdirSync(reports, { recursive: true })
const temporary = mkdtempSync(join(tmpdir(), 'idem-api-'))
let differing = 0

for (const folder of readdirSync('packages')) {
  const packageFolder = resolve('packages', folder)
  const packageJson = join(packageFolder, 'package.json')
  const { private: isPrivate, exports: entries } = JSON.parse(readFileSync(packageJson, 'utf8'))
  if (isPrivate) continue
  for (const [subpath, { import: entry }] of Object.entries(entries)) {
    const name = subpath === '.' ? folder : `${folder}.${basename(subpath)}`
    const config = ExtractorConfig.prepare({
      configObject: {
        projectFolder: packageFolder,
        mainEntryPointFilePath: join(packageFolder, entry.types),
        compiler: { tsconfigFilePath: join(packageFolder, 'tsconfig.json') },
        apiReport: {
          enabled: true,
          reportFileName: `${name}.api.md`,
          reportFolder: reports,
          reportTempFolder: temporary,
        },
        docModel: { enabled: false },
        dtsRollup: { enabled: false },
        tsdocMetadata: { enabled: false },
        messages: {
          // Every export is public: there are no release tags, and comments are read by people, not by TSDoc.
          extractorMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
          tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
          compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
        },
      },
      configObjectFullPath: undefined,
      packageJsonFullPath: packageJson,
    })
    const { apiReportChanged, errorCount } = Extractor.invoke(config, {
      localBuild: !isCheck,
      messageCallback(message) {
        // Its own message for a changed report names commands that this repository does not have.
        message.handled = message.logLevel !== ExtractorLogLevel.Error
      },
    })
    if (errorCount > 0) process.exitCode = 1
    if (apiReportChanged && isCheck) {
      differing++
      process.stderr.write(`The public API of ${name} is not what api/${name}.api.md says.\n`)
    }
  }
}
rmSync(temporary, { recursive: true })
if (differing > 0) {
  process.exitCode = 1
  process.stderr.write('If the change is meant: pnpm build && pnpm api, and commit what it writes.\n')
}
