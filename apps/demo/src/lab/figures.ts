/** `p50 1.2 ms` for a rank of 50: the smallest value that so many percent of the values do not exceed. */
export function percentile(rank: number, values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b)
  return `p${rank} ${sorted[Math.ceil((sorted.length * rank) / 100) - 1]?.toFixed(1) ?? '-'} ms`
}
