/** The text of the generated module. */
export function generate(): string
