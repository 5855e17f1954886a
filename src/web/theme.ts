/** Light or dark: as the system has it, until a person says otherwise. */
import { effect, signal } from '@preact/signals';

const system = matchMedia('(prefers-color-scheme: dark)');
const systemTheme = () => (system.matches ? 'dark' : 'light');

export const theme = signal<'light' | 'dark'>(systemTheme());

export function keepTheme(): void {
  system.addEventListener('change', () => {
    theme.value = systemTheme();
  });
  effect(() => {
    document.documentElement.dataset.theme = theme.value;
  });
}

export function toggleTheme(): void {
  theme.value = theme.value === 'dark' ? 'light' : 'dark';
}
