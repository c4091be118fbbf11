import type { Anthropic, APIPromise } from '@anthropic-ai/sdk'
import type { BaseAnthropic } from '@anthropic-ai/sdk/client'
import type { BetaMessageStream } from '@anthropic-ai/sdk/lib/BetaMessageStream'
import type { ExtractParsedContentFromBetaParams, ParsedBetaMessage } from '@anthropic-ai/sdk/lib/beta-parser'
import type { MessageStream } from '@anthropic-ai/sdk/lib/MessageStream'
import type { ExtractParsedContentFromParams, ParsedMessage } from '@anthropic-ai/sdk/lib/parser'
import type {
  BetaToolRunner,
  BetaToolRunnerParams,
  BetaToolRunnerRequestOptions,
} from '@anthropic-ai/sdk/lib/tools/BetaToolRunner'
import type * as Beta from '@anthropic-ai/sdk/resources/beta/messages/messages'
import type * as Api from '@anthropic-ai/sdk/resources/messages/messages'
import type { Stream } from '@anthropic-ai/sdk/streaming'
import type { CallOptions } from '@idem/core'

interface Idem {
  /**
   * What idem is to do with this call. Never sent.
   * @example client.messages.create(params, { idem: { refresh: true } })
   */
  readonly idem?: CallOptions | undefined
}

/**
 * The SDK's request options, and what idem is to do with this call: the type for a wrapper of your own that passes its
 * options on. The SDK itself ignores `idem`; its `idempotencyKey` is the key of the call where `idem.key` is not given.
 */
export interface IdemRequestOptions extends Anthropic.RequestOptions, Idem {}

interface IdemRunnerOptions extends BetaToolRunnerRequestOptions, Idem {}

/**
 * A client as `withIdem` returns it: the same client, whose calls take `idem` among their options. A misspelt member of
 * `idem` is named in the compiler's error.
 */
// The compiler explains a call that fits no overload by the last one. These come last, as long as the compiler does not
// take them for the same as those below: hence the other way to write the options.
export type WithIdem<Client extends BaseAnthropic = Anthropic> = Client & {
  readonly messages: {
    create(
      params: Api.MessageCreateParamsBase,
      options?: Anthropic.RequestOptions & Idem,
    ): APIPromise<Stream<Api.RawMessageStreamEvent> | Api.Message>
  }
  readonly beta: {
    readonly messages: {
      create(
        params: Beta.MessageCreateParamsBase,
        options?: Anthropic.RequestOptions & Idem,
      ): APIPromise<Stream<Beta.BetaRawMessageStreamEvent> | Beta.BetaMessage>
      toolRunner(
        body: BetaToolRunnerParams,
        options?: BetaToolRunnerRequestOptions & Idem,
      ): BetaToolRunner<boolean>
    }
  }
}

// The SDK's own RequestOptions cannot be extended from outside, since its module is not exported. The resources can:
// these overloads stand beside the SDK's own, also where a client has idem as its middleware.
declare module '@anthropic-ai/sdk/resources/messages/messages' {
  interface Messages {
    create(params: Api.MessageCreateParamsNonStreaming, options?: IdemRequestOptions): APIPromise<Api.Message>
    create(
      params: Api.MessageCreateParamsStreaming,
      options?: IdemRequestOptions,
    ): APIPromise<Stream<Api.RawMessageStreamEvent>>
    create(
      params: Api.MessageCreateParamsBase,
      options?: IdemRequestOptions,
    ): APIPromise<Stream<Api.RawMessageStreamEvent> | Api.Message>
    stream<Params extends Api.MessageStreamParams>(
      body: Params,
      options?: IdemRequestOptions,
    ): MessageStream<ExtractParsedContentFromParams<Params>>
    parse<Params extends Api.MessageCreateParamsNonStreaming>(
      params: Params,
      options?: IdemRequestOptions,
    ): APIPromise<ParsedMessage<ExtractParsedContentFromParams<Params>>>
  }
}

declare module '@anthropic-ai/sdk/resources/beta/messages/messages' {
  interface Messages {
    create(
      params: Beta.MessageCreateParamsNonStreaming,
      options?: IdemRequestOptions,
    ): APIPromise<Beta.BetaMessage>
    create(
      params: Beta.MessageCreateParamsStreaming,
      options?: IdemRequestOptions,
    ): APIPromise<Stream<Beta.BetaRawMessageStreamEvent>>
    create(
      params: Beta.MessageCreateParamsBase,
      options?: IdemRequestOptions,
    ): APIPromise<Stream<Beta.BetaRawMessageStreamEvent> | Beta.BetaMessage>
    stream<Params extends Beta.BetaMessageStreamParams>(
      body: Params,
      options?: IdemRequestOptions,
    ): BetaMessageStream<ExtractParsedContentFromBetaParams<Params>>
    parse<Params extends Beta.MessageCreateParamsNonStreaming>(
      params: Params,
      options?: IdemRequestOptions,
    ): APIPromise<ParsedBetaMessage<ExtractParsedContentFromBetaParams<Params>>>
    toolRunner(
      body: BetaToolRunnerParams & { stream?: false },
      options?: IdemRunnerOptions,
    ): BetaToolRunner<false>
    toolRunner(
      body: BetaToolRunnerParams & { stream: true },
      options?: IdemRunnerOptions,
    ): BetaToolRunner<true>
    toolRunner(body: BetaToolRunnerParams, options?: IdemRunnerOptions): BetaToolRunner<boolean>
  }
}
