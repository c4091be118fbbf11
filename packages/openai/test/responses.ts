type Json = Record<string, unknown>
export type Item = Json & { type: string }
export type Response = Json & { output: Item[] }

export interface Example {
  readonly name: string
  readonly response: Response
}

const usage = {
  input_tokens: 36,
  input_tokens_details: { cached_tokens: 10, cache_write_tokens: 5 },
  output_tokens: 87,
  output_tokens_details: { reasoning_tokens: 64 },
  total_tokens: 123,
}

export function response(output: Item[], change: Json = {}): Response {
  return {
    id: 'resp_67ccd2bed1ec8190b14f964abc0542670bb6a6b452d3795b',
    object: 'response',
    created_at: 1741476542,
    status: 'completed',
    background: false,
    completed_at: 1741476543,
    error: null,
    incomplete_details: null,
    instructions: null,
    max_output_tokens: null,
    model: 'gpt-5.4-2026-03-05',
    output,
    parallel_tool_calls: true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null },
    store: true,
    temperature: 1,
    text: { format: { type: 'text' } },
    tool_choice: 'auto',
    tools: [],
    top_p: 1,
    truncation: 'disabled',
    usage,
    user: null,
    metadata: {},
    ...change,
  }
}

export function message(...content: Json[]): Item {
  return { id: 'msg_1', type: 'message', status: 'completed', role: 'assistant', content }
}

export const text = (text: string, change: Json = {}): Json => ({
  type: 'output_text',
  text,
  annotations: [],
  logprobs: [],
  ...change,
})

export const call = (change: Json = {}): Item => ({
  type: 'function_call',
  id: 'fc_1',
  call_id: 'call_1',
  name: 'weather',
  arguments: '{"city":"Zürich"}',
  status: 'completed',
  ...change,
})

const reasoning = (change: Json = {}): Item => ({ type: 'reasoning', id: 'rs_1', summary: [], ...change })
const summary = (text: string) => ({ type: 'summary_text', text })
const citation = { type: 'url_citation', start_index: 0, end_index: 3, title: 'T', url: 'a:b' }
const logprob = { token: 'Hi', logprob: -0.1, bytes: [72, 105], top_logprobs: [] }
const search = (action: Json | undefined): Item => ({
  type: 'web_search_call',
  id: 'ws_1',
  status: 'completed',
  ...(action && { action }),
})
const filtered = { status: 'incomplete', incomplete_details: { reason: 'content_filter' } }
export const cutShort = { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }

const outputs: Record<string, Item[]> = {
  'no output': [],
  text: [message(text('Hello! How can I help you today?'))],
  'empty text': [message(text(''))],
  'a message of nothing': [message()],
  unicode: [message(text('👩‍👩‍👧‍👦 e\u0301 冪等性 עברית \u2028\u0000\uFEFF "\\"'))],
  'text that looks like events': [message(text('event: response.completed\ndata: {}\n\n: x\r\n'))],
  'several parts': [message(text('a'), text('b'), { type: 'refusal', refusal: 'No.' })],
  'a refusal': [message({ type: 'refusal', refusal: 'I’m sorry. 🙏' })],
  annotations: [message(text('See', { annotations: [citation, { ...citation, title: 'é' }] }))],
  logprobs: [message(text('Hi', { logprobs: [logprob, logprob] }))],
  'text without logprobs': [message({ type: 'output_text', text: 'Hi', annotations: [] })],
  'a function call': [call()],
  'a function call without arguments': [call({ arguments: '' })],
  'a function call without an id of its own': [{ ...call(), id: undefined } as Item].map(json),
  'parallel function calls': [call(), call({ id: 'fc_2', call_id: 'call_2', arguments: '{}' })],
  'a custom tool call': [{ type: 'custom_tool_call', id: 'c', call_id: 'd', name: 'sh', input: 'ls\n-l é' }],
  'a tool of MCP': [
    {
      type: 'mcp_call',
      id: 'm',
      name: 'echo',
      server_label: 's',
      arguments: '{"a":1}',
      output: 'x',
      error: null,
    },
  ],
  'reasoning without a summary': [reasoning(), message(text('Hi'))],
  'reasoning with summaries': [reasoning({ summary: [summary('**Plan** é'), summary(''), summary('Then')] })],
  'reasoning in its own words': [
    reasoning({ status: 'completed', content: [{ type: 'reasoning_text', text: 'Hm… 🤔' }] }),
  ],
  'reasoning that is encrypted': [reasoning({ encrypted_content: 'gAAAA', content: [], status: null })],
  'a web search': [search({ type: 'search', query: 'né' }), message(text('Found'))],
  'a search of files': [
    { type: 'file_search_call', id: 'fs', status: 'completed', queries: ['a'], results: null },
  ],
  'a code interpreter': [
    {
      type: 'code_interpreter_call',
      id: 'ci',
      status: 'completed',
      code: '1+1',
      container_id: 'c',
      outputs: [],
    },
  ],
  'an item not known yet': [{ type: 'hologram', id: 'h', width: [3] }, message(text('Hi'))],
  'a part not known yet': [message({ type: 'hologram', width: 3 })],
  'all of them': [reasoning({ summary: [summary('Plan')] }), search(undefined), message(text('Hi')), call()],
}

const changes: Record<string, Json> = {
  'cut short': cutShort,
  filtered,
  'without usage': { usage: null },
  'members not known yet': { hologram: { a: [1] }, none: null },
}

export const examples: Example[] = [
  ...Object.entries(outputs).map(([name, output]) => ({ name, response: response(output) })),
  ...Object.entries(changes).map(([name, change]) => ({
    name,
    response: response([message(text('Hi é'))], change),
  })),
]

function json(item: Item): Item {
  return JSON.parse(JSON.stringify(item))
}
