const number = new Intl.NumberFormat('en')
const cents = new Intl.NumberFormat('en', { style: 'currency', currency: 'USD' })
const fractions = new Intl.NumberFormat('en', {
  style: 'currency',
  currency: 'USD',
  maximumFractionDigits: 5,
})
const clock = new Intl.DateTimeFormat('en', { timeStyle: 'medium', hourCycle: 'h23' })
const percent = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 1 })

export const count = (value: number) => number.format(value)
export const share = (value: number) => percent.format(value)
export const bytes = (value: number) => `${number.format(value)} B`
export const plural = (value: number, noun: string) => `${count(value)} ${noun}${value === 1 ? '' : 's'}`

/** `22:47:05`, of seconds since 1970. */
export const timeOfDay = (seconds: number) => clock.format(seconds * 1_000)

/** A call of the demo costs less than a cent. */
export function dollars(value: number): string {
  return (value > 0 && value < 1 ? fractions : cents).format(value)
}

/** `340 ms`, `1.2 s`, `4 min`, `23 h`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)} s`
  if (ms < 120_000) return `${Math.round(ms / 1_000)} s`
  return ms < 120 * 60_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`
}
