import { type Assessment, type Dialect, isObject, type JsonObject, type Usage } from '@idem/core'
import { errorBody } from '../errors.js'
import { prices } from '../prices.js'
import { identityOf, isPostTo, withoutSwitches } from '../request.js'
import { usageOf } from '../usage.js'
import { responsesStreams } from './streams.js'

/** Request members that tie the answer to something on the server that it changes, or that goes on without it. */
const STATEFUL_MEMBERS = ['previous_response_id', 'conversation', 'background']

/** Items of the output that are whole in themselves. */
const STORED_ITEMS = new Set([
  'message',
  'reasoning',
  'web_search_call',
  'file_search_call',
  'image_generation_call',
  'mcp_list_tools',
  'mcp_call',
])

/** Items that ask the caller to do something. */
const TOOL_CALLS = new Set([
  'function_call',
  'custom_tool_call',
  'local_shell_call',
  'shell_call',
  'apply_patch_call',
])

/**
 * The Responses API (`POST …/responses`, and not what is below it).
 *
 * The key covers the URL, the body without `stream`, and the headers that change the answer. A stream and a whole
 * response are one. OpenAI keeps a response for later requests to go on from; any number may go on from the same one,
 * so that a plain answer is replayed with its id. Whoever deletes responses passes `store: false`, or `bypass`.
 */
export const responsesDialect: Dialect = {
  door: 'responses',

  matches: (request) => isPostTo('/responses', request),

  identify: (headers, body) => identityOf(headers, withoutSwitches(body, ['include_obfuscation'])),

  assess(response, body) {
    const { output, model, usage } = response
    if (!Array.isArray(output) || !output.every(isObject)) throw new TypeError('not a response')
    const searches = usageOf(usage) && { ...usageOf(usage), ...searchesIn(output) }
    return { keep: keepFor(response, output, body), model: String(model), usage: searches }
  },

  streams: responsesStreams,
  prices,
  errorBody,
}

function keepFor(response: JsonObject, output: readonly JsonObject[], body: JsonObject): Assessment['keep'] {
  const isStateful = STATEFUL_MEMBERS.some((name) => (body[name] ?? false) !== false)
  if (isStateful || !isWhole(response)) return 'share'
  // What is not known yet, and what is bound to a container, a screen or an approval.
  const isKnown = output.every(({ type }) => STORED_ITEMS.has(String(type)) || TOOL_CALLS.has(String(type)))
  if (!isKnown || output.some(isRefusal)) return 'share'
  return output.some(({ type }) => TOOL_CALLS.has(String(type))) ? 'tool-calls' : 'store'
}

function isWhole({ status, incomplete_details: details }: JsonObject): boolean {
  if (status === 'completed') return true
  return status === 'incomplete' && isObject(details) && details.reason === 'max_output_tokens'
}

/** The next try may not be one. */
function isRefusal({ content }: JsonObject): boolean {
  return Array.isArray(content) && content.some((part) => isObject(part) && part.type === 'refusal')
}

/** A call is a search, or opens or reads a page that one has found; only searches are charged for. */
function searchesIn(output: readonly JsonObject[]): Partial<Usage> {
  const calls = output.filter(({ type }) => type === 'web_search_call')
  const actions = calls.map(({ action }) => (isObject(action) ? action.type : 'search'))
  return {
    webSearches: actions.filter((type) => type === 'search').length,
    webFetches: actions.filter((type) => type === 'open_page').length,
  }
}
