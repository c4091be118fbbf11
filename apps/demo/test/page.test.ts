import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { ensureRedisServer, startProvider, startRedis } from '@idem/testing'
import type { AxeResults } from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openPage, SCREENSHOTS, startBrowser } from './browser.js'
import { openDemo, sharedDemo } from './demo-process.js'
import { withoutRedis } from './without-redis.js'

let browser: Browser
beforeAll(async () => {
  await ensureRedisServer()
  browser = await startBrowser()
}, 300_000)
afterAll(() => browser?.close())

const story = (page: Page) => page.locator('.story')
const lanes = (page: Page, outcome?: string) =>
  page.locator(outcome ? `[data-outcome="${outcome}"]` : '[data-request]')
const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()

/** Waits until the page says so; what it says instead is the error. */
async function says(page: Page, text: string | RegExp): Promise<void> {
  await expect.poll(() => story(page).innerText(), { timeout: 20_000 }).toMatch(text)
}

describe.each([
  ['over a redis-server of its own, in four processes', async () => ({})],
  ['without Redis, in one process', withoutRedis],
])('Generate, %s', (_, environment) => {
  test('hammered 20 times makes one call, and gives 20 answers', async () => {
    const { url } = await openDemo(await environment())
    const page = await openPage(browser, url)
    for (let click = 0; click < 20; click++) await press(page, 'Generate')
    await says(page, '20 requests, 1 call to the model, 19 answers for free')
    expect(await lanes(page).count()).toBe(20)
    expect(await lanes(page, 'executed').count()).toBe(1)
    // On a slow machine the last clicks come after the answer is stored.
    expect((await lanes(page, 'collapsed').count()) + (await lanes(page, 'replayed').count())).toBe(19)
    const texts = await page.locator('[data-request] .text').allInnerTexts()
    expect(new Set(texts).size).toBe(1)
    expect(texts[0]).toMatch(/is given the result of the first\.$/)
  })

  test('twenty at once make one call', async () => {
    const { url } = await openDemo(await environment())
    const page = await openPage(browser, url)
    await page.getByLabel('stream').uncheck()
    await press(page, '× 20 at once')
    await says(page, '20 requests, 1 call to the model, 19 answers for free')
    // The other processes write their numbers within a second.
    await expect.poll(() => figure(page, 'Hit rate'), { timeout: 10_000 }).toBe('95%')
    expect(await figure(page, 'Requests')).toBe('20')
    expect(await figure(page, 'Tokens saved')).toMatch(/^[1-9][\d,]+$/)
    expect(await figure(page, 'Dollars saved')).toMatch(/^\$0\.0\d+$/)
  })

  test('a late joiner catches up at once, and follows live', async () => {
    const { url } = await openDemo(await environment())
    const page = await openPage(browser, url)
    await press(page, 'Generate')
    await page.locator('[data-request="1"] .text', { hasText: /\w+ \w+ \w+ \w+ \w+/ }).waitFor()
    await press(page, 'Generate')
    await page.locator('[data-request="2"] .what', { hasText: /\d\d+ chars at once/ }).waitFor()
    // The answer is still running, so the rest comes live.
    expect(await page.locator('[data-request="2"] .bar.open').count()).toBe(1)
    await says(page, '2 requests, 1 call to the model, 1 answer for free')
    await press(page, 'Generate')
    await says(page, '3 requests, 1 call to the model, 2 answers for free')
    expect(await lanes(page, 'replayed').count()).toBe(1)
    const texts = await page.locator('[data-request] .text').allInnerTexts()
    expect(new Set(texts).size).toBe(1)
  })

  test('bypassed is a call of its own, each time', async () => {
    const { url } = await openDemo(await environment())
    const page = await openPage(browser, url)
    await page.getByLabel('bypass idem').check()
    await page.getByLabel('stream').uncheck()
    await press(page, 'Generate')
    await press(page, 'Generate')
    await says(page, /^2 requests, 2 calls to the model$/)
    await expect.poll(() => lanes(page, 'bypassed').count(), { timeout: 20_000 }).toBe(2)
    // What comes below stays near, however many there are.
    await press(page, '× 20 at once')
    await press(page, '× 20 at once')
    await says(page, /^42 requests, 42 calls to the model$/)
    expect(await page.locator('.calls li').count()).toBeLessThan(30)
    await page
      .getByText(/\(\d+ of 42\)/)
      .first()
      .waitFor()
  })
})

test('one question in each of four workers is one call', async () => {
  const { url } = await openDemo()
  const page = await openPage(browser, url)
  await press(page, 'Open in 4 workers')
  await says(page, '4 requests, 1 call to the model, 3 answers for free')
  const workers = await page.locator('[data-request] .who .dim').allInnerTexts()
  expect(workers).toEqual(['w1', 'w2', 'w3', 'w4'])
})

test('the counts are right for many requests, and after a reload', async () => {
  const { url } = await openDemo(await withoutRedis())
  const page = await openPage(browser, url)
  for (let press20 = 0; press20 < 6; press20++) await press(page, '× 20 at once')
  await says(page, '120 requests, 1 call to the model, 119 answers for free')
  expect(await lanes(page, 'executed').count()).toBe(1)
  await page.reload()
  await says(page, '120 requests, 1 call to the model, 119 answers for free')
})

describe('Break it', () => {
  const scenarios = [
    ['owner killed', 'Kill the owner'],
    ['owner paused', 'Pause the owner'],
    ['Redis stopped', 'Stop Redis'],
    ['slow model', 'Slow model'],
    ['overloaded model', '529 from the model'],
    ['dropped stream', 'Drop the stream'],
    ['impatient client', 'Impatient client'],
    ['double click', '50 clicks at once'],
    ['four processes', 'Ask in four processes'],
    ['late joiner', 'Join late'],
    ['tab closed', 'Close the tab'],
  ] as const

  test('each button says what should be seen, shows it, and says that it held', async () => {
    const { url } = await openDemo()
    const page = await openPage(browser, url)
    for (const [name, button] of scenarios) {
      const scenario = page.locator(`[data-scenario="${name}"]`)
      expect(await scenario.locator('.hint').innerText(), name).toMatch(/\.$/)
      await press(page, button)
      if (name === 'Redis stopped') {
        await press(page, 'Start Redis')
      }
      await scenario.getByText(/held|did not hold/).waitFor({ timeout: 40_000 })
      expect(await scenario.innerText(), name).toContain('✔ held')
      expect(await scenario.innerText(), name).not.toContain('✘')
      // The warm-up is not shown.
      if (name === 'four processes')
        await says(page, '100 requests, 1 call to the model, 99 answers for free')
    }
    // Tall enough that nothing has to be scrolled.
    await page.setViewportSize({ width: 1440, height: 3_000 })
    await page.screenshot({ path: join(SCREENSHOTS, 'break-it.png'), fullPage: true })
  }, 180_000)

  test('what comes of the last button is in view while it is pressed', async () => {
    const { url } = await openDemo(await withoutRedis())
    const page = await openPage(browser, url)
    await press(page, 'Close the tab')
    await page.locator('[data-scenario="tab closed"]').getByText('✔ held').waitFor()
    await says(page, '2 requests, 1 call to the model, 1 answer for free')
    const box = await story(page).boundingBox()
    expect(box?.y).toBeGreaterThanOrEqual(0)
    expect(box?.y).toBeLessThan(900)
  })

  test('holds again and again, with processes that have only just begun', async () => {
    const { url } = await openDemo()
    const page = await openPage(browser, url)
    for (let round = 0; round < 3; round++) {
      await press(page, 'Kill the owner')
      await page.locator('.verdict', { hasText: 'running' }).waitFor()
      await page.locator('.verdict', { hasText: /held|did not hold/ }).waitFor()
      expect(await page.locator('[data-scenario="owner killed"]').innerText()).toContain('✔ held')
    }
  })

  test('an error can be read to its end on a small screen', async () => {
    const { url } = await openDemo(await withoutRedis())
    const page = await openPage(browser, url, { width: 390 })
    await press(page, 'Drop the stream')
    await page.getByText('✔ held').waitFor()
    const failed = page.locator('[data-outcome="failed"] .what')
    expect(await failed.count()).toBe(4)
    expect(await failed.first().innerText()).toMatch(/send the request again\.$/)
    const cut = await failed.evaluateAll(
      (all) =>
        all.filter((one) =>
          [one, ...one.children].some((part) => part.scrollWidth > part.clientWidth && part.clientWidth > 0),
        ).length,
    )
    expect(cut).toBe(0)
    // A text that is too long is cut at its beginning: its end grows.
    const whole = page.locator('[data-outcome="executed"] .text')
    const seen = await whole.evaluate((text) => {
      const [box, inner] = [text, text.firstElementChild].map((part) => part?.getBoundingClientRect())
      return {
        right: (box?.right ?? 0) - (inner?.right ?? 0),
        isCut: (inner?.width ?? 0) > (box?.width ?? 0),
      }
    })
    expect(seen.isCut).toBe(true)
    expect(Math.abs(seen.right)).toBeLessThan(2)
  })

  test('shows the worker that was killed, and the one that serves in its place', async () => {
    const { url } = await openDemo()
    const page = await openPage(browser, url)
    const worker = page.locator('.worker').first()
    const before = await worker.getAttribute('title')
    await press(page, 'Kill the owner')
    await page.locator('.calls').getByText('lost with its process').waitFor()
    // The state `starting` may be over before the page shows it.
    await expect.poll(() => worker.getAttribute('title'), { timeout: 10_000 }).toMatch(/^up, process \d+$/)
    await expect.poll(() => worker.getAttribute('title'), { timeout: 10_000 }).not.toBe(before)
    await expect.poll(() => worker.innerText(), { timeout: 10_000 }).toBe('w1')
  })

  test('shows that Redis is stopped, and answers all the same', async () => {
    const { url } = await openDemo()
    const page = await openPage(browser, url)
    await press(page, 'Stop Redis')
    await page.locator('.facts').getByText('Redis is stopped: press Start Redis').waitFor()
    await page.locator('[data-scenario="Redis stopped"]').getByText('20 of 20 calls succeeded').waitFor()
    expect(await (await fetch(`${url}/healthz`)).json()).toMatchObject({ status: 'ok', redis: 'down' })
    await press(page, 'Start Redis')
    await page.locator('[data-scenario="Redis stopped"]').getByText('✔ held').waitFor({ timeout: 20_000 })
    await page.locator('.facts').getByText('a redis-server of its own').waitFor()
  })

  test('never stops a Redis that it was given', async () => {
    const redis = await startRedis({ args: [] })
    const { url } = await openDemo({ REDIS_URL: redis.url })
    const page = await openPage(browser, url)
    await press(page, 'Stop Redis')
    await page.locator('[data-scenario="Redis stopped"]').getByText('20 of 20 calls succeeded').waitFor()
    expect(process.kill(redis.pid!, 0)).toBe(true)
    await press(page, 'Start Redis')
    await page.locator('[data-scenario="Redis stopped"]').getByText('✔ held').waitFor({ timeout: 20_000 })
    await redis.stop()
  })

  test('what cannot be done here is disabled, and says why', async () => {
    const api = await startProvider()
    const { url } = await openDemo({
      ...(await withoutRedis()),
      ANTHROPIC_API_KEY: 'sk-test',
      ANTHROPIC_BASE_URL: api.url,
    })
    const page = await openPage(browser, url)
    for (const [, button] of scenarios) {
      const isPossible = ['50 clicks at once', 'Close the tab'].includes(button)
      expect(await page.getByRole('button', { name: button, exact: true }).isEnabled(), button).toBe(
        isPossible,
      )
    }
    expect(await page.locator('[data-scenario="owner killed"] .hint').innerText()).toMatch(
      /install redis-server 7, or set REDIS_URL/,
    )
    expect(await page.locator('[data-scenario="slow model"] .hint').innerText()).toMatch(
      /unset ANTHROPIC_API_KEY/,
    )
    expect(await page.getByRole('button', { name: 'Open in 4 workers' }).isEnabled()).toBe(false)
    await api.stop()
  })
})

test('Inspect shows the stored key and the headers of the last call, and forgets', async () => {
  const { url } = await openDemo()
  const page = await openPage(browser, url)
  await press(page, 'Generate')
  const key = page.locator('[data-key]')
  await key.getByText('locked').waitFor()
  await key.getByText('stored').waitFor()
  // The worker may report the ttl a moment after the store shows the record.
  await expect.poll(() => key.innerText(), { timeout: 20_000 }).toMatch(/w1[\s\S]*60 min[\s\S]*[\d,]+ B/)
  const headers = page.locator('.headers')
  const digest = await key.getAttribute('data-key')
  expect(await headers.innerText()).toMatch(/status\s+200/)
  expect(await headers.innerText()).toContain(`idem; fwd=miss; key="${digest}"`)
  // The focus moves to the next row, for people who use the keyboard.
  await page.getByLabel('Prompt').fill('Another one')
  await press(page, 'Generate')
  await expect.poll(() => page.locator('[data-key]').count(), { timeout: 10_000 }).toBe(2)
  await page.getByRole('button', { name: `Forget ${digest?.slice(0, 10)}` }).focus()
  await page.keyboard.press('Enter')
  await expect.poll(() => page.locator('[data-key]').count(), { timeout: 10_000 }).toBe(1)
  expect(await page.evaluate<string>(NAME_OF_FOCUS)).toBe('Forget')
  await page.getByLabel('Prompt').fill('Explain idempotency to a new colleague.')
  await press(page, 'Generate')
  await says(page, '3 requests, 3 calls to the model')
})

test('says that the server is gone, and what to do next, until it is back', async () => {
  const demo = await openDemo(await withoutRedis())
  const page = await openPage(browser, demo.url, { isLosing: true })
  demo.interrupt()
  await page.getByRole('alert').getByText('Start it again with npm start').waitFor()
  await press(page, 'Generate')
  expect(await lanes(page).count()).toBe(0)
  await page.getByRole('alert').getByText('Start it again with npm start').waitFor()
  await demo.exited
  await openDemo({ ...(await withoutRedis()), PORT: new URL(demo.url).port })
  await page.getByRole('alert').waitFor({ state: 'detached' })
  await press(page, 'Generate')
  await says(page, /^1 request, 1 call to the model$/)
})

describe('the looks', () => {
  const axe = readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
  const demo = sharedDemo(async () => ({}))

  // The first page starts something, and every page shows it.
  test('show a story', async () => {
    const page = await openPage(browser, demo.url)
    await press(page, '× 20 at once')
    await says(page, '20 requests, 1 call to the model, 19 answers for free')
    await press(page, 'Open in 4 workers')
    await says(page, '24 requests, 1 call to the model, 23 answers for free')
    await press(page, 'Impatient client')
    await page.getByText('✔ held').waitFor()
    // A request in the moment an answer is stored is collapsed or replayed. One is a retry, another asks again.
    const free = async () => Number(await figure(page, 'Collapsed')) + Number(await figure(page, 'Replayed'))
    await expect.poll(free, { timeout: 10_000 }).toBe(19 + 4 + 2)
  })

  test.each([
    { width: 1440, theme: 'light' },
    { width: 1440, theme: 'dark' },
    { width: 390, theme: 'light' },
    { width: 390, theme: 'dark' },
  ] as const)(
    'at $width px, $theme, are readable, labelled, in contrast, and no wider than the screen',
    async (look) => {
      const page = await openPage(browser, demo.url, look)
      await page.locator('.plot canvas').waitFor()
      await page.screenshot({ path: join(SCREENSHOTS, `${look.width}-${look.theme}.png`), fullPage: true })
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(look.width)
      await page.evaluate(await axe)
      const { violations } = (await page.evaluate('axe.run()')) as AxeResults
      expect(violations.map(({ id, impact, nodes }) => `${id} (${impact}): ${nodes[0]?.html}`)).toEqual([])
    },
  )
})

describe('the page, without Redis', () => {
  const demo = sharedDemo(withoutRedis)

  test('Your numbers begin with 10,000 calls a day, 5 % duplicates and $0.03: $450 a month', async () => {
    const page = await openPage(browser, demo.url)
    const result = page.locator('.result output')
    expect(await result.innerText()).toBe('$450.00')
    await page.getByLabel('Calls a day').fill('1000')
    await page.getByLabel('Share of duplicates, %').fill('20')
    await page.getByLabel('Price of a call, $').fill('0.5')
    expect(await result.innerText()).toBe('$3,000.00')
    // On the way from 0.03 to 0.05 it is 0.0 for a moment.
    const price = page.getByLabel('Price of a call, $')
    await price.fill('0.03')
    for (const key of ['End', 'Backspace', '5']) await price.press(key)
    expect(await price.inputValue()).toBe('0.05')
    expect(await result.innerText()).toBe('$300.00')
    await page.setViewportSize({ width: 390, height: 900 })
    await price.fill('1e308')
    await page.getByLabel('Calls a day').fill('1e308')
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390)
    await price.fill('0.05')
    await page.getByLabel('Calls a day').fill('')
    expect(await result.innerText()).toBe('$0.00')
  })

  test('everything can be done from the keyboard', async () => {
    const page = await openPage(browser, demo.url)
    const names: string[] = []
    for (let tab = 0; tab < 30; tab++) {
      await page.keyboard.press('Tab')
      names.push(await page.evaluate<string>(NAME_OF_FOCUS))
    }
    const reachable = names.map((name) => name.trim())
    for (const name of ['Theme', 'Prompt', 'Model', 'Generate', '× 20 at once', 'Slow model', 'Calls a day'])
      expect(reachable).toContain(name)
    await page.getByLabel('Prompt').focus()
    await page.keyboard.press('Control+Enter')
    await page.getByRole('button', { name: 'Generate', exact: true }).focus()
    await page.keyboard.press('Enter')
    await says(page, '2 requests, 1 call to the model, 1 answer for free')
  })

  test('the theme can be chosen, and is remembered', async () => {
    const page = await openPage(browser, demo.url)
    const background = () =>
      page
        .locator('body')
        .evaluate((body) => body.ownerDocument.defaultView?.getComputedStyle(body).backgroundColor)
    const light = await background()
    await page.getByLabel('Theme').selectOption('dark')
    const dark = await background()
    expect(dark).not.toBe(light)
    await page.reload()
    await page.getByRole('button', { name: 'Generate' }).waitFor()
    expect(await background()).toBe(dark)
  })

  test('the first load is under 150 KB compressed, and all of it is from here', async () => {
    const page = await browser.newPage()
    const session = await page.context().newCDPSession(page)
    await session.send('Network.enable')
    const from: string[] = []
    let bytes = 0
    session.on('Network.requestWillBeSent', ({ request }) => from.push(new URL(request.url).origin))
    session.on('Network.dataReceived', ({ encodedDataLength }) => {
      bytes += encodedDataLength
    })
    await page.goto(demo.url, { waitUntil: 'load' })
    await page.getByRole('button', { name: 'Generate' }).waitFor()
    await page.close()
    expect(new Set(from)).toEqual(new Set([demo.url]))
    expect(from.length).toBeGreaterThanOrEqual(4)
    process.stdout.write(`first load: ${bytes} bytes in ${from.length} requests\n`)
    expect(bytes).toBeGreaterThan(10_000)
    expect(bytes).toBeLessThan(150_000)
  })
})

/** Run in the page: the label or text of the element that has the focus. */
const NAME_OF_FOCUS = `(document.activeElement.closest('label')?.firstChild ?? document.activeElement).textContent`

/** The text of one figure of the page's savings. */
function figure(page: Page, name: string): Promise<string> {
  return page
    .locator('.figures > div', { has: page.getByText(name, { exact: true }) })
    .locator('dd')
    .innerText()
}
