const REFUSAL = /^(?:An error was signalled by the server: - (\w+?)(?:Error)?|([A-Z]+)): (.*)$/s

/**
 * An error with the message that the server sent, whose first word is its code. GLIDE words it another way: `OOM: …`,
 * and `An error was signalled by the server: - NoScriptError: …` for the codes it knows. Others are left as they are.
 */
export function asSent(error: unknown): unknown {
  const [, known, code = known?.toUpperCase(), text] = REFUSAL.exec(String((error as Error).message)) ?? []
  if (code === undefined) return error
  return new Error(`${code === 'RESPONSE' ? 'ERR' : code} ${text}`, { cause: error })
}
