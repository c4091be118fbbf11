import type { TtlName } from '@idem/core'
import { useRef } from 'preact/hooks'
import { post, workers, world } from './state.js'

/** The name of each option in core. */
const TTLS: Record<TtlName, string> = {
  retry: 'retry, 60 s',
  chat: 'chat, 5 min',
  analysis: 'analysis, 1 h',
  batch: 'batch, 24 h',
}

export function Generate() {
  const form = useRef<HTMLFormElement>(null)
  const ask = (count: number | 'each') => {
    if (!form.current?.reportValidity()) return
    const data = new FormData(form.current)
    const { prompt, model, ttl } = Object.fromEntries(data)
    return post('requests', {
      prompt,
      model,
      ttl,
      stream: data.has('stream'),
      bypass: data.has('bypass'),
      count,
    })
  }
  const processes = workers.value.length
  return (
    <section class="card generate" aria-labelledby="generate">
      <h2 id="generate">Generate</h2>
      <form
        ref={form}
        onSubmit={(event) => {
          event.preventDefault()
          void ask(1)
        }}
      >
        <label>
          Prompt
          <textarea
            name="prompt"
            required
            maxLength={10_000}
            rows={2}
            onKeyDown={(event) => {
              if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void ask(1)
            }}
          >
            Explain idempotency to a new colleague.
          </textarea>
        </label>
        <div class="pair wide-first">
          <label>
            Model
            <select name="model">
              {world.value?.models.map((model) => (
                <option key={model}>{model}</option>
              ))}
            </select>
          </label>
          <label>
            Good for (ttl)
            <select name="ttl">
              {Object.entries(TTLS).map(([name, label]) => (
                <option key={name} value={name} selected={name === 'analysis'}>
                  {label}
                </option>
              ))}
            </select>
          </label>
        </div>
        <div class="pair">
          <label class="check">
            <input type="checkbox" name="stream" defaultChecked /> stream
          </label>
          <label class="check">
            <input type="checkbox" name="bypass" /> bypass idem
          </label>
        </div>
        <button type="submit" class="primary">
          Generate
        </button>
        <div class="pair wide-last">
          <button type="button" onClick={() => ask(20)}>
            × 20 at once
          </button>
          <button type="button" disabled={processes < 2} onClick={() => ask('each')}>
            {processes < 2 ? 'Open in 4 workers' : `Open in ${processes} workers`}
          </button>
        </div>
        <p class="hint">
          {processes < 2
            ? 'There is one worker: several share over Redis. Install redis-server, or set REDIS_URL.'
            : 'Each press goes to the next worker. Press again while it streams, and after.'}
        </p>
      </form>
    </section>
  )
}
