import { useSignal } from '@preact/signals'
import { count, dollars } from './format.js'

/** Days a month has, for an estimate. */
const DAYS = 30

/** What idem would save somebody a month. */
export function YourNumbers() {
  const calls = useSignal(10_000)
  const duplicates = useSignal(5)
  const price = useSignal(0.03)
  const saved = calls.value * (duplicates.value / 100) * price.value * DAYS
  return (
    <section class="card numbers" aria-labelledby="numbers">
      <h2 id="numbers">Your numbers</h2>
      <form onSubmit={(event) => event.preventDefault()}>
        <Field label="Calls a day" value={calls} step={1_000} max={1e9} />
        <Field label="Share of duplicates, %" value={duplicates} step={0.5} max={100} />
        <Field label="Price of a call, $" value={price} step={0.01} max={1_000} />
        <p class="result wide">
          idem would save <output class="free">{dollars(saved)}</output> a month
        </p>
        <p class="hint wide">
          {count(calls.value)} calls × {count(duplicates.value)} % × ${price.value} × {DAYS} days
        </p>
      </form>
    </section>
  )
}

interface FieldProps {
  readonly label: string
  readonly value: { value: number }
  readonly step: number
  /** A larger share counts as this much. */
  readonly max: number
}

function Field({ label, value, step, max }: FieldProps) {
  return (
    <label>
      {label}
      <input
        type="number"
        min={0}
        max={max}
        step={step}
        // The text stays as it was typed: 0.05 is 0.0 for a moment.
        defaultValue={value.value}
        onInput={({ currentTarget }) => {
          const entered = currentTarget.valueAsNumber
          value.value = Number.isFinite(entered) && entered >= 0 ? Math.min(entered, max) : 0
        }}
      />
    </label>
  )
}
