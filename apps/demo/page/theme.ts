import { computed, effect, signal } from '@preact/signals'

export const THEMES = ['auto', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

const system = matchMedia('(prefers-color-scheme: dark)')
const isSystemDark = signal(system.matches)
system.addEventListener('change', ({ matches }) => {
  isSystemDark.value = matches
})

const kept = THEMES.find((one) => one === storage()?.getItem('theme'))
export const theme = signal<Theme>(kept ?? 'auto')
export const isDark = computed(() => (theme.value === 'auto' ? isSystemDark.value : theme.value === 'dark'))

effect(() => {
  storage()?.setItem('theme', theme.value)
  document.documentElement.dataset.theme = theme.value
})

/** Where the browser stores nothing for the page, the theme lasts as long as the page is open. */
function storage(): Storage | undefined {
  try {
    return localStorage
  } catch {
    return undefined
  }
}
