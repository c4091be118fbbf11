/** Now, in ms, by a clock whose zero all processes of the machine share and that nobody can set. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
