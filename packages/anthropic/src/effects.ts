import type { BetaRunnableTool, BetaToolRunContext } from '@anthropic-ai/sdk/lib/tools/BetaRunnableTool'
import type { Idem, RunOptions, WorkContext } from '@idem/core'

/** What a tool that runs once is told besides what the SDK tells it. */
export interface EffectContext extends BetaToolRunContext {
  /** The same for every run of this tool call: pass it on as the idempotency key of what the tool calls. */
  readonly idempotencyKey: string
}

/** As `run` takes them, but for what the tool call says itself. */
export type EffectOptions = Omit<RunOptions, 'fingerprint' | 'signal' | 'refresh'>

/**
 * The same tools, each call of which takes effect once, however many runners are asked for it: pass them to
 * `client.beta.messages.toolRunner({ tools })`. Duplicates of one request get one answer, and with it the same tool
 * calls; the id of a tool call is the key, its name and input are the fingerprint. All runners get the one result, also
 * later ones, until the ttl is over.
 *
 * At most one run at a time; after a crash it is run again, or, with `onLostOwner: 'error'`, refused with
 * IDEM_UNCERTAIN. A run that throws is not kept: the runners that waited for it all get its error.
 */
export function effectsOnce<Tool extends BetaRunnableTool>(
  idem: Idem,
  tools: readonly Tool[],
  options: EffectOptions = {},
): Tool[] {
  return tools.map((tool) => ({
    ...tool,
    run(input: unknown, context?: BetaToolRunContext) {
      // Run by hand, and not for a tool call: there is nothing to tell duplicates by.
      if (!context) return tool.run(input)
      const { toolUse, signal } = context
      const effect = ({ key, signal }: WorkContext) => {
        // Not this runner's signal: the effect is for all of them.
        const told: EffectContext = { ...context, signal, idempotencyKey: key }
        return tool.run(input, told)
      }
      const fingerprint = { tool: toolUse.name, input: toolUse.input }
      return idem.run(toolUse.id, effect, { ...options, fingerprint, ...(signal && { signal }) })
    },
  }))
}
