/** A content block, with the keys its type has. */
export type Block = { type: string } & Record<string, unknown>

export type Message = { content: Block[]; usage: Record<string, unknown> } & Record<string, unknown>

export interface Example {
  readonly name: string
  readonly message: Message
  /** Whether only the SDK's `BetaMessageStream` can read it. */
  readonly beta: boolean
}

const usage = {
  input_tokens: 2095,
  output_tokens: 503,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
  output_tokens_details: null,
  server_tool_use: null,
  service_tier: 'standard',
  inference_geo: null,
  speed: null,
}

/** A message of API version 2026-10-21. */
export function message(content: Block[], change: Record<string, unknown> = {}): Message {
  return {
    id: 'msg_01XFDUDYJgAACzvnptvVoYEL',
    type: 'message',
    role: 'assistant',
    model: 'claude-opus-4-5',
    content,
    container: null,
    diagnostics: null,
    stop_details: null,
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage,
    ...change,
  }
}

const text = (text: string, more: object = { citations: null }): Block => ({ type: 'text', text, ...more })
const hello = text('Hello')
const tool = (input: unknown, more: object = { caller: { type: 'direct' } }): Block => ({
  type: 'tool_use',
  id: 'toolu_01D7FLrfh4GYq7yT1ULFeyMV',
  name: 'get_weather',
  input,
  ...more,
})

const cited = { cited_text: 'Größe "3"', document_index: 0, document_title: null, file_id: null }
const span = { start_block_index: 0, end_block_index: 1 }
const citations = [
  { type: 'char_location', ...cited, start_char_index: 0, end_char_index: 15 },
  { type: 'page_location', ...cited, start_page_number: 1, end_page_number: 2 },
  { type: 'content_block_location', ...cited, ...span },
  { type: 'web_search_result_location', cited_text: '冪等', encrypted_index: 'Eo=', title: null, url: 'a:b' },
  {
    type: 'search_result_location',
    cited_text: '',
    search_result_index: 0,
    source: 's',
    title: 't',
    ...span,
  },
]

/** Tool inputs of every shape. */
export const inputs: Record<string, Record<string, unknown>> = {
  empty: {},
  flat: { location: 'San Francisco, CA', unit: 'celsius' },
  nested: { a: { b: { c: { d: [{ e: {} }, []] } } } },
  arrays: { list: [1, [2, [3, []]], {}, [{ a: [] }]], none: [] },
  'quotes, backslashes and lines': { code: 'say("hi\\n")\n\t"\\"', path: 'C:\\dir\\', empty: '' },
  unicode: { clé: '👩‍👩‍👧 e\u0301 冪等性 \u2028\u2029\u0000\uFEFF' },
  numbers: { big: 1e21, small: 1e-7, negative: -1.5, zero: 0, unsafe: 2 ** 53 },
  'true, false and null': { yes: true, no: false, none: null, all: [true, false, null] },
  'names of Object.prototype': { constructor: 1, toString: 'x', hasOwnProperty: null },
  'brackets inside strings': { text: '{"a": [1, 2', '}': ']', '': '' },
}

const caller = { type: 'direct' }
const result = { type: 'web_search_result', title: 'T', url: 'a:b', encrypted_content: 'Eq=', page_age: null }
const search: Block[] = [
  { type: 'server_tool_use', id: 'srvtoolu_01', name: 'web_search', input: { query: 'né' }, caller },
  { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_01', caller, content: [result] },
]
const thinking = { type: 'thinking', thinking: 'Let me think…\n\nYes.', signature: 'EqQBCgIYAhIM1gbcDa==' }
const fallback = (from: string, to: string): Block => ({
  type: 'fallback',
  from: { model: from },
  to: { model: to },
  trigger: { type: 'refusal', category: 'cyber' },
})
const mcp: Block[] = [
  { type: 'mcp_tool_use', id: 'mcptoolu_01', name: 'echo', server_name: 'srv', input: { times: [1, 2] } },
  { type: 'mcp_tool_result', tool_use_id: 'mcptoolu_01', is_error: false, content: [text('né')] },
]
const compaction = { type: 'compaction', content: 'So far: é', encrypted_content: 'Eq=' }
const clearing = { type: 'clear_tool_uses_20250919', cleared_tool_uses: 8, cleared_input_tokens: 50_000 }
const iteration = { cache_creation: null, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 }

const contents: Record<string, Block[]> = {
  'no content': [],
  text: [text('Hello! How can I help you today?')],
  'empty text': [text('')],
  emoji: [text('👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽')],
  'combining characters': [text('e\u0301 Z͑ͫ̓ นี่')],
  'CJK and right to left': [text('冪等性 멱등성 עברית 𠮷')],
  'text that looks like events': [text('event: message_stop\ndata: {}\n\n: x\r\ndata')],
  'line separators, NUL and BOM': [text('a\u2028b\u2029c\r\nd\u0085e\u0000f\uFEFF')],
  'quotes and backslashes': [text('"\\" \\n \\u0041 \t')],
  'text without a citations key': [text('Hello', {})],
  'text with an empty list of citations': [text('Hello', { citations: [] })],
  ...Object.fromEntries(citations.map((one) => [`a ${one.type}`, [text('cited', { citations: [one] })]])),
  'all citations on one text': [text('cited', { citations })],
  'a citation of nothing': [text('', { citations: citations.slice(0, 1) })],
  thinking: [thinking, hello],
  'thinking that is not shown': [{ ...thinking, thinking: '' }, hello],
  'thinking without a signature key': [{ type: 'thinking', thinking: 'Hm' }, hello],
  'redacted thinking': [{ type: 'redacted_thinking', data: 'EmwKAhgBEgy3va3pzix/LafPsn4a' }, thinking, hello],
  ...Object.fromEntries(Object.entries(inputs).map(([name, one]) => [`tool input: ${name}`, [tool(one)]])),
  'a tool use without a caller key': [tool({ a: 1 }, {})],
  'parallel tool uses': [hello, tool({ a: 1 }), tool({}), tool({ b: [2] })],
  'a web search': [...search, text('Found.', { citations: citations.slice(3, 4) })],
  'a web search that failed': [
    search[0]!,
    { ...search[1]!, content: { type: 'web_search_tool_result_error', error_code: 'max_uses_exceeded' } },
  ],
  'a container upload': [{ type: 'container_upload', file_id: 'file_01' }],
  'a type not known yet': [hello, { type: 'hologram', input: { a: 1 }, text: 'x', citations: null }],
  'text on both sides of tools': [thinking, hello, ...search, tool({ a: 1 }), thinking, hello],
  'thirty blocks': Array.from({ length: 30 }, (_, i) => [text(`t${i}`), tool({ i }), thinking][i % 3]!),
}

const refusal = { type: 'refusal', category: 'cyber', explanation: 'I can’t help with that.' }
const changes: Record<string, Record<string, unknown>> = {
  ...Object.fromEntries(
    ['end_turn', 'max_tokens', 'tool_use', 'pause_turn', 'refusal', 'model_context_window_exceeded'].map(
      (stop_reason) => [`stopped by ${stop_reason}`, { stop_reason }],
    ),
  ),
  'stopped by a sequence': { stop_reason: 'stop_sequence', stop_sequence: '\n\nHuman:' },
  'a refusal with details': { stop_reason: 'refusal', stop_details: refusal },
  'a refusal of no category': { stop_reason: 'refusal', stop_details: { ...refusal, category: null } },
  'a stop reason not known yet': { stop_reason: 'tomorrow', stop_details: { type: 'tomorrow', more: [1] } },
  'a container': { container: { id: 'c_01', expires_at: '2026-11-01T00:00:00Z', skills: null } },
  diagnostics: { diagnostics: { type: 'cache_miss', reason: null } },
  'a key not known yet': { hologram: { width: 3 }, another: null },
  'usage of nulls': {
    usage: Object.fromEntries(Object.keys(usage).map((key) => [key, key === 'output_tokens' ? 0 : null])),
  },
  'usage of the two first counts': { usage: { input_tokens: 10, output_tokens: 20 } },
  'usage without the cache': { usage: { input_tokens: 1, output_tokens: 2, service_tier: 'priority' } },
  'usage of everything': {
    usage: {
      ...usage,
      cache_creation_input_tokens: 7,
      cache_read_input_tokens: 8,
      cache_creation: { ephemeral_5m_input_tokens: 3, ephemeral_1h_input_tokens: 4 },
      output_tokens_details: { thinking_tokens: 100 },
      server_tool_use: { web_search_requests: 1, web_fetch_requests: 0 },
      inference_geo: 'eu',
      speed: 'fast',
    },
  },
  'usage not known yet': { usage: { ...usage, joules: { gpu: 12.5 } } },
}

const betas: Record<string, Message> = {
  'beta: an MCP tool': message([...mcp, hello]),
  'beta: an MCP tool that failed': message([mcp[0]!, { ...mcp[1]!, is_error: true, content: 'boom' }]),
  'beta: compaction': message([compaction, hello]),
  'beta: compaction that failed': message([{ ...compaction, content: null, encrypted_content: null }]),
  'beta: compaction of 2025': message([{ type: 'compaction', content: 'x' }], { stop_reason: 'compaction' }),
  'beta: signed compaction': message([{ ...compaction, signature: 'Eq=', tool_changes: [] }]),
  'beta: a fallback': message([fallback('claude-a', 'claude-b'), hello], { model: 'claude-b' }),
  'beta: two fallbacks': message([fallback('a', 'b'), thinking, fallback('b', 'c'), hello], { model: 'c' }),
  'beta: context management': message([hello], { context_management: { applied_edits: [clearing] } }),
  'beta: no context management': message([hello], { context_management: null }),
  'beta: input transformations': message([hello], { input_transformations: [{ type: 'thinking_dropped' }] }),
  'beta: iterations': message([hello], {
    usage: {
      ...usage,
      iterations: [
        { type: 'compaction', ...iteration, input_tokens: 9, output_tokens: 1 },
        { type: 'message', ...iteration, model: null, input_tokens: 1, output_tokens: 2 },
      ],
      fallback_credit: null,
    },
  }),
  'beta: a refusal': message([], {
    stop_reason: 'refusal',
    stop_details: { ...refusal, fallback_credit_token: 'fct_01', recommended_model: null },
    usage: { ...usage, fallback_credit: { status: { type: 'redeemed' }, amount: 3 } },
  }),
}

const { container, diagnostics, stop_details, ...old } = message([text('Hi', {}), tool({ a: 1 }, {})], {
  stop_reason: 'tool_use',
  usage: { input_tokens: 1, output_tokens: 2 },
})

const known: Record<string, Message> = {
  ...Object.fromEntries(Object.entries(contents).map(([name, content]) => [name, message(content)])),
  ...Object.fromEntries(Object.entries(changes).map(([name, change]) => [name, message([hello], change)])),
  'a message of 2023': old as Message,
}

/** Messages as the API answers them without streaming. */
export const examples: Example[] = [
  ...Object.entries(known).map(([name, message]) => ({ name, message, beta: false })),
  ...Object.entries(betas).map(([name, message]) => ({ name, message, beta: true })),
]
