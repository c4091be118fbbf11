import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { ensureInstalled } from '@idem/testing'
import { type Browser, chromium, type Page } from 'playwright-core'
import { onTestFinished } from 'vitest'

/**
 * For a machine without a screen and for any user. Without background requests: without an internet they would hang.
 */
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Where screenshots are left for people to look at. */
export const SCREENSHOTS = fileURLToPath(new URL('../screenshots/', import.meta.url))

/** A real Chromium: `IDEM_TEST_CHROMIUM`, or the one on the PATH. */
export async function startBrowser(): Promise<Browser> {
  await mkdir(SCREENSHOTS, { recursive: true })
  const executablePath = process.env.IDEM_TEST_CHROMIUM ?? (await installedChromium())
  return chromium.launch({ executablePath, args: ARGS })
}

async function installedChromium(): Promise<string> {
  await ensureInstalled('chromium', {
    why: 'the page is tested in a real browser',
    advice:
      'The page is tested in a real browser: install chromium, or set IDEM_TEST_CHROMIUM to the path of one.',
  })
  const { stdout } = await promisify(execFile)('sh', ['-c', 'command -v chromium'])
  return stdout.trim()
}

/** How a page is opened. */
export interface Look {
  readonly width?: number
  readonly theme?: 'light' | 'dark'
  /** Whether the server is away for a while during the test, which a browser logs as an error. @default false */
  readonly isLosing?: boolean
}

/** Opens the page at this address and waits until it can be used. Every test fails if the page logs an error. */
export async function openPage(
  browser: Browser,
  url: string,
  { width = 1440, theme = 'light', isLosing = false }: Look = {},
): Promise<Page> {
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme: theme })
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(error.message))
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
  onTestFinished(async () => {
    await page.close()
    if (errors.length > 0 && !isLosing) throw new Error(`The page logged errors: ${errors.join('; ')}`)
  })
  await page.goto(url)
  await page.getByRole('button', { name: 'Generate' }).waitFor()
  return page
}
