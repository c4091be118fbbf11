import type { Usage } from '@idem/core'
import { type Assessment, type Dialect, isObject, type JsonObject } from '@idem/core/dialect'
import { errorBody } from '../errors.js'
import { prices } from '../prices.js'
import { identityOf, isPostTo, openaiHeaders, withoutSwitches } from '../request.js'
import { usageOf } from '../usage.js'
import { responsesStreams } from './streams.js'

/** Request members that tie the answer to something on the server that it changes, or that goes on without it. */
const STATEFUL_MEMBERS = ['previous_response_id', 'conversation', 'background']

/** Items of the output that are complete in themselves. */
const STORED_ITEMS = new Set([
  'message',
  'reasoning',
  'web_search_call',
  'file_search_call',
  'image_generation_call',
  'mcp_list_tools',
  'mcp_call',
])

/** Items that are known to be bound to a container, a screen or an approval, so that they are not stored. */
const BOUND_ITEMS = new Set([
  'code_interpreter_call',
  'computer_call',
  'computer_call_output',
  'mcp_approval_request',
  'mcp_approval_response',
])

/** States of a response that is not whole yet, or not any longer. */
const UNFINISHED = new Set<unknown>(['failed', 'in_progress', 'cancelled', 'queued'])

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
 * The key covers the URL, the body without `stream`, and the headers. A stream and a whole
 * response are one. OpenAI keeps a response for later requests to go on from; any number may go on from the same one,
 * so that a plain answer is replayed with its id. An application that deletes responses passes `store: false`, or `bypass`.
 */
export const responsesDialect: Dialect = {
  ...openaiHeaders,
  specVersion: 1,
  door: 'responses',

  matches: (request) => isPostTo('/responses', request),

  identify(body) {
    // Many services have a path like this one. This API is the one that asks a model.
    if (typeof body.model !== 'string' && !isObject(body.prompt)) throw new TypeError('no model')
    return identityOf(withoutSwitches(body, ['include_obfuscation']))
  },

  assess(response, body) {
    const { output, model, usage } = response
    if (!Array.isArray(output) || !output.every(isObject)) throw new TypeError('not a response')
    const searches = usageOf(usage) && { ...usageOf(usage), ...searchesIn(output) }
    return { ...keepFor(response, output, body), model: String(model), usage: searches }
  },

  streams: responsesStreams,
  prices,
  errorBody,
}

type Kept = Pick<Assessment, 'keep' | 'doubt'>

function keepFor(response: JsonObject, output: readonly JsonObject[], body: JsonObject): Kept {
  if ([response, ...output].some(({ error }) => error)) return doubt('it tells of an error')
  const isStateful = STATEFUL_MEMBERS.some((name) => (body[name] ?? false) !== false)
  if (isStateful || UNFINISHED.has(response.status) || isFiltered(response)) return { keep: 'share' }
  if (!isWhole(response)) return doubt('its status is missing or not known')
  if (output.length === 0) return doubt('it has no output')
  const types = output.map(({ type }) => String(type))
  const isStored = (type: string) => STORED_ITEMS.has(type) || TOOL_CALLS.has(type)
  if (!types.every((type) => isStored(type) || BOUND_ITEMS.has(type))) {
    return doubt('its output has an item of a type that is not known')
  }
  if (!types.every(isStored) || output.some(isRefusal)) return { keep: 'share' }
  return { keep: types.some((type) => TOOL_CALLS.has(type)) ? 'tool-calls' : 'store' }
}

function doubt(doubt: string): Kept {
  return { keep: 'share', doubt }
}

function isWhole({ status, incomplete_details: details }: JsonObject): boolean {
  if (status === 'completed') return true
  return status === 'incomplete' && isObject(details) && details.reason === 'max_output_tokens'
}

/** Cut off by a content filter: the next try may pass it. */
function isFiltered({ status, incomplete_details: details }: JsonObject): boolean {
  return status === 'incomplete' && isObject(details) && details.reason === 'content_filter'
}

/** A refusal: the next try may not be refused. */
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
