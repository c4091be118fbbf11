import { AnthropicBedrock } from '@anthropic-ai/bedrock-sdk'
import { AnthropicFoundry } from '@anthropic-ai/foundry-sdk'
import type Anthropic from '@anthropic-ai/sdk'
import { AnthropicVertex } from '@anthropic-ai/vertex-sdk'

/** What all of these clients have in common. */
export interface CloudClient {
  messages: Pick<Anthropic['messages'], 'create' | 'stream'>
}

/** What all of the constructors take; a client asks once, for a retry would hide what the provider did. */
export interface CloudOptions {
  maxRetries?: number
  timeout?: number
  middleware?: Anthropic['middleware']
}

/** Signs with static keys; without them the client would look for credentials on the machine and the network. */
export function bedrock(baseURL: string, options: CloudOptions = {}): AnthropicBedrock {
  const keys = { apiKey: null, awsAccessKey: 'AKIAFAKE', awsSecretKey: 'fake-secret' }
  return new AnthropicBedrock({ baseURL, awsRegion: 'eu-central-1', ...keys, maxRetries: 0, ...options })
}

/** The base URL of Vertex holds the version, so that the canonical path would be `/v1/v1/messages`. */
export function vertex(baseURL: string, options: CloudOptions = {}): AnthropicVertex {
  return new AnthropicVertex({
    baseURL: `${baseURL}/v1`,
    region: 'europe-west1',
    projectId: 'my-project',
    authClient: signedIn,
    maxRetries: 0,
    ...options,
  })
}

/** `resource: null`, because one from the environment would contradict the base URL. */
export function foundry(baseURL: string, options: CloudOptions = {}): AnthropicFoundry {
  const target = { baseURL: `${baseURL}/anthropic/`, resource: null }
  return new AnthropicFoundry({ ...target, apiKey: 'fake-key', maxRetries: 0, ...options })
}

type AuthClient = NonNullable<NonNullable<ConstructorParameters<typeof AnthropicVertex>[0]>['authClient']>

/** All that the client asks of Google's library: a token. */
const signedIn = {
  getRequestHeaders: async () => new Headers({ authorization: 'Bearer fake-google-token' }),
} as unknown as AuthClient
