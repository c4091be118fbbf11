import Anthropic from '@anthropic-ai/sdk'

/** A request body that the API accepts. */
export const question = {
  model: 'claude-sonnet-5',
  max_tokens: 64,
  messages: [{ role: 'user' as const, content: 'Say something.' }],
}

// biome-ignore lint/suspicious/noExplicitAny: each test knows which body it has asked for
type AnyJson = Omit<Response, 'json'> & { json(): Promise<any> }

export function post(url: string, body: unknown, init: RequestInit = {}): Promise<AnyJson> {
  return postTo(`${url}/v1/messages`, body, init)
}

export function postTo(url: string, body: unknown, init: RequestInit = {}): Promise<AnyJson> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: text,
    ...init,
  })
}

/** The real client, asking once: a retry would hide what the provider did. */
export function client(url: string, options: { maxRetries?: number; timeout?: number } = {}): Anthropic {
  return new Anthropic({ baseURL: url, apiKey: 'test', maxRetries: 0, ...options })
}
