import type { CallOptions } from '@idem/core'
import type { APIPromise, OpenAI } from 'openai'
import type { RunnerOptions } from 'openai/lib/AbstractChatCompletionRunner'
import type { ChatCompletionRunner, ChatCompletionToolRunnerParams } from 'openai/lib/ChatCompletionRunner'
import type { ChatCompletionStream, ChatCompletionStreamParams } from 'openai/lib/ChatCompletionStream'
import type {
  ChatCompletionStreamingRunner,
  ChatCompletionStreamingToolRunnerParams,
} from 'openai/lib/ChatCompletionStreamingRunner'
import type { ExtractParsedContentFromParams as ParsedChat } from 'openai/lib/parser'
import type {
  ExtractParsedContentFromParams as ParsedText,
  ResponseCreateParamsWithTools,
} from 'openai/lib/ResponsesParser'
import type { ResponseStream, ResponseStreamParams } from 'openai/lib/responses/ResponseStream'
import type {
  ChatCompletionParseParams,
  ParsedChatCompletion,
} from 'openai/resources/chat/completions/completions'
import type { ParsedResponse } from 'openai/resources/responses/responses'

interface Idem {
  /**
   * What idem is to do with this call. Never sent.
   * @example client.chat.completions.create(params, { idem: { refresh: true } })
   */
  readonly idem?: CallOptions | undefined
}

/**
 * The SDK's request options, and what idem is to do with this call: the type for a wrapper of your own that passes its
 * options on to a client of `withIdem`. The SDK's `idempotencyKey` is the key of the call where `idem.key` is not given.
 */
export type IdemRequestOptions = OpenAI.RequestOptions & Idem

/** A client as `withIdem` returns it: the same client, whose sharable calls take `idem` among their options. */
export type WithIdem<Client extends OpenAI = OpenAI> = Client & {
  readonly chat: { readonly completions: IdemChat }
  readonly responses: IdemResponses
  readonly embeddings: { readonly create: Creating<OpenAI['embeddings']['create']> }
}

// These stand behind the SDK's own overloads. The compiler explains a call that fits no overload by the last one, so
// that is where a misspelt member of `idem` gets its name into the error.

interface IdemChat {
  readonly create: Creating<OpenAI['chat']['completions']['create']>
  parse<Params extends ChatCompletionParseParams, ParsedT = ParsedChat<Params>>(
    body: Params,
    options?: IdemRequestOptions,
  ): APIPromise<ParsedChatCompletion<ParsedT>>
  stream<Params extends ChatCompletionStreamParams, ParsedT = ParsedChat<Params>>(
    body: Params,
    options?: IdemRequestOptions,
  ): ChatCompletionStream<ParsedT>
  // biome-ignore lint/suspicious/noExplicitAny: as the SDK has it
  runTools<Params extends ChatCompletionToolRunnerParams<any>, ParsedT = ParsedChat<Params>>(
    body: Params,
    options?: RunnerOptions & Idem,
  ): ChatCompletionRunner<ParsedT>
  // biome-ignore lint/suspicious/noExplicitAny: as the SDK has it
  runTools<Params extends ChatCompletionStreamingToolRunnerParams<any>, ParsedT = ParsedChat<Params>>(
    body: Params,
    options?: RunnerOptions & Idem,
  ): ChatCompletionStreamingRunner<ParsedT>
  runTools(
    // biome-ignore lint/suspicious/noExplicitAny: as the SDK has it
    body: ChatCompletionToolRunnerParams<any> | ChatCompletionStreamingToolRunnerParams<any>,
    options?: RunnerOptions & Idem,
  ): ChatCompletionRunner<unknown> | ChatCompletionStreamingRunner<unknown>
}

interface IdemResponses {
  readonly create: Creating<OpenAI['responses']['create']>
  parse<Params extends ResponseCreateParamsWithTools, ParsedT = ParsedText<Params>>(
    body: Params,
    options?: IdemRequestOptions,
  ): APIPromise<ParsedResponse<ParsedT>>
  stream<Params extends ResponseStreamParams, ParsedT = ParsedText<Params>>(
    body: Params,
    options?: IdemRequestOptions,
  ): ResponseStream<ParsedT>
}

/** The overloads of an SDK's `create`, up to three, with idem among the options. The last takes what any of them takes. */
type Creating<Create> = Create extends {
  (body: infer A, options?: infer _): infer ForA
  (body: infer B, options?: infer _): infer ForB
  (body: infer C, options?: infer _): infer ForC
}
  ? {
      (body: A, options?: IdemRequestOptions): ForA
      (body: B, options?: IdemRequestOptions): ForB
      (body: C, options?: IdemRequestOptions): ForC
    }
  : never
