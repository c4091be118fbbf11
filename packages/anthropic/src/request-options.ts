import type { Anthropic, APIPromise } from '@anthropic-ai/sdk'
import type { BetaMessageStream } from '@anthropic-ai/sdk/lib/BetaMessageStream'
import type { ExtractParsedContentFromBetaParams, ParsedBetaMessage } from '@anthropic-ai/sdk/lib/beta-parser'
import type { MessageStream } from '@anthropic-ai/sdk/lib/MessageStream'
import type { ExtractParsedContentFromParams, ParsedMessage } from '@anthropic-ai/sdk/lib/parser'
import type * as Beta from '@anthropic-ai/sdk/resources/beta/messages/messages'
import type * as Api from '@anthropic-ai/sdk/resources/messages/messages'
import type { Stream } from '@anthropic-ai/sdk/streaming'
import type { CallOptions } from '@idem/core'

/** The SDK's request options, and what idem is to do with this call. The SDK itself ignores `idem`. */
export interface IdemRequestOptions extends Anthropic.RequestOptions {
  readonly idem?: CallOptions
}

// The SDK's own RequestOptions cannot be extended from outside, since its module is not exported. The resources can:
// these overloads stand beside the SDK's own.
declare module '@anthropic-ai/sdk/resources/messages/messages' {
  interface Messages {
    create(params: Api.MessageCreateParamsNonStreaming, options?: IdemRequestOptions): APIPromise<Api.Message>
    create(
      params: Api.MessageCreateParamsStreaming,
      options?: IdemRequestOptions,
    ): APIPromise<Stream<Api.RawMessageStreamEvent>>
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
    stream<Params extends Beta.BetaMessageStreamParams>(
      body: Params,
      options?: IdemRequestOptions,
    ): BetaMessageStream<ExtractParsedContentFromBetaParams<Params>>
    parse<Params extends Beta.MessageCreateParamsNonStreaming>(
      params: Params,
      options?: IdemRequestOptions,
    ): APIPromise<ParsedBetaMessage<ExtractParsedContentFromBetaParams<Params>>>
  }
}
