/** Something with a beginning and an end. */
export interface Span {
  readonly from: number
  readonly to: number
}

/** Quiet times longer than this are cut out of a scale, ms. */
const LONGEST_QUIET_MS = 400
/** How much of the scale a quiet time that was cut still takes, from 0 to 1. */
const CUT = 0.03
/** The least of the scale that a busy time takes, from 0 to 1: an answer from the store is very short. */
const LEAST = 0.06

export interface TimeScale {
  /** The place of a time on the scale, from 0 to 1. */
  at(time: number): number
  /** Where something was cut out, and how long that was, ms. */
  readonly cuts: readonly { readonly at: number; readonly ms: number }[]
}

/** A scale on which even short times can be seen: the quiet times between them are cut out. */
export function timeScale(spans: readonly Span[]): TimeScale {
  const busy: { from: number; to: number }[] = []
  for (const { from, to } of [...spans].sort((a, b) => a.from - b.from)) {
    const last = busy.at(-1)
    if (last && from - last.to <= LONGEST_QUIET_MS) last.to = Math.max(last.to, to)
    else busy.push({ from, to })
  }
  const all = busy.reduce((sum, { from, to }) => sum + to - from, 0)
  const weightOf = ({ from, to }: Span) => Math.max(to - from, all * LEAST, 1)
  const total = busy.reduce((sum, span) => sum + weightOf(span), 0)
  const room = Math.max(1 - CUT * (busy.length - 1), 0.5)
  let end = 0
  const parts = busy.map((span, index) => {
    const start = index === 0 ? 0 : end + (1 - room) / (busy.length - 1)
    end = start + (weightOf(span) / total) * room
    return { ...span, start, end }
  })
  return {
    at(time) {
      const part = parts.findLast(({ from }) => from <= time) ?? parts[0]
      if (!part) return 0
      const into = (time - part.from) / Math.max(part.to - part.from, 1)
      return part.start + Math.min(Math.max(into, 0), 1) * (part.end - part.start)
    },
    cuts: parts.slice(1).map((part, index) => ({
      at: ((parts[index]?.end ?? 0) + part.start) / 2,
      ms: part.from - (parts[index]?.to ?? part.from),
    })),
  }
}
