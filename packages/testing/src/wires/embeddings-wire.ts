import { createHash } from 'node:crypto'
import { openaiWire } from './openai-wire.js'
import type { Wire } from './wire.js'
import { tokens } from './wire-text.js'

/** OpenAI's Embeddings API. It never streams; vectors are numbers or, when asked for, their bytes in base64. */
export const embeddingsWire: Wire = {
  ...openaiWire('input'),
  fromPath: () => ({ stream: false }),
  answer(request, { text }) {
    const inputs = inputsOf(request.input)
    const prompt = inputs.reduce<number>((sum, input) => sum + tokens(input), 0)
    const data = inputs.map((input, index) => {
      const vector = drawVector(`${text}\0${JSON.stringify(input)}`, Number(request.dimensions ?? 1536))
      const embedding =
        request.encoding_format === 'base64' ? Buffer.from(vector.buffer).toString('base64') : [...vector]
      return { object: 'embedding', index, embedding }
    })
    return {
      whole: {
        object: 'list',
        data,
        model: request.model,
        usage: { prompt_tokens: prompt, total_tokens: prompt },
      },
    }
  },
}

/** A text, a list of texts, a text as a list of tokens, or a list of those. */
function inputsOf(input: unknown): unknown[] {
  return Array.isArray(input) && typeof input[0] !== 'number' ? input : [input]
}

/** A vector of length one that is the same for the same seed, and for no other. */
function drawVector(seed: string, dimensions: number): Float32Array {
  const bytes = createHash('shake256', { outputLength: 2 * dimensions })
    .update(seed)
    .digest()
  const drawn = Float32Array.from({ length: dimensions }, (_, index) => bytes.readInt16LE(2 * index))
  const length = Math.hypot(...drawn)
  return drawn.map((value) => value / length)
}
