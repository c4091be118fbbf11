import type { BetaRunnableTool, BetaToolRunContext } from '@anthropic-ai/sdk/lib/tools/BetaRunnableTool'
import { type Idem, InvalidArgumentError, type RunOptions, type WorkContext } from '@idem/core'
import { assertIdem, assertRunOptions } from '@idem/core/dialect'

/** What the `run` of a tool is told, beside what the SDK tells it. */
export interface EffectContext extends BetaToolRunContext {
  /** The same for every run of this tool call: pass it on as the idempotency key of what the tool calls. */
  readonly idempotencyKey: string
}

/** The options of `idem.run`, without those that the tool call itself decides. */
export type EffectOptions = Omit<RunOptions, 'fingerprint' | 'signal' | 'refresh'>

/**
 * Makes each tool call take effect once, however many runners ask for it. Pass the returned tools to
 * `client.beta.messages.toolRunner({ tools })`. Duplicates of one request get one answer, and with it the same tool
 * calls; the id of a tool call is the key, its name and input are the fingerprint. All runners get the one result,
 * later ones too, until the ttl is over.
 *
 * At most one run at a time; after a crash it is run again, or, with `ifOwnerLost: 'reject'`, refused with
 * IDEM_UNCERTAIN. A run that throws is not kept: the runners that waited for it all get its error.
 *
 * @throws InvalidArgumentError for anything but an idem, a list of tools and its options
 */
export function effectsOnce<Tool extends BetaRunnableTool>(
  idem: Idem,
  tools: readonly Tool[],
  options: EffectOptions = {},
): Tool[] {
  assertIdem(idem, 'effectsOnce(idem, tools)')
  if (!Array.isArray(tools) || !tools.every((tool) => typeof tool?.run === 'function')) {
    throw new InvalidArgumentError('effectsOnce needs a list of tools with run(): effectsOnce(idem, [tool]).')
  }
  assertRunOptions(options)
  return tools.map((tool) => ({
    ...tool,
    run(input: unknown, context?: BetaToolRunContext) {
      // Called by hand and not for a tool call: without its id nothing tells duplicates from each other.
      if (!context) return tool.run(input)
      const { toolUse, signal } = context
      const effect = ({ idempotencyKey, signal }: WorkContext) => {
        // Not the signal of this runner: the effect belongs to all runners that asked for it.
        const told: EffectContext = { ...context, signal, idempotencyKey }
        return tool.run(input, told)
      }
      const fingerprint = { tool: toolUse.name, input: toolUse.input }
      return idem.run(toolUse.id, effect, { ...options, fingerprint, ...(signal && { signal }) })
    },
  }))
}
