import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from '@mantine/core'

const pine: MantineColorsTuple = [
  '#e9f6f3',
  '#d5ebe6',
  '#abd8cd',
  '#7dc4b4',
  '#58b39f',
  '#3fa892',
  '#2c9a84',
  '#1a8370',
  '#0d6b60',
  '#03544a',
]

export const theme = createTheme({
  primaryColor: 'pine',
  primaryShade: { light: 8, dark: 7 },
  colors: { pine },
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, monospace',
  headings: { fontWeight: '600' },
  defaultRadius: 'md',
  cursorType: 'pointer',
})

/** Surfaces and text of both schemes; every text colour reaches 4.5:1 on its surface. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-body': '#f6f6f3',
    '--mantine-color-text': '#1d2125',
    '--mantine-color-dimmed': '#5a6067',
    '--mantine-color-default-border': '#dcdbd5',
  },
  dark: {
    '--mantine-color-body': '#121517',
    '--mantine-color-text': '#e7e9eb',
    '--mantine-color-dimmed': '#a2aab1',
    '--mantine-color-default': '#1b1f22',
    '--mantine-color-default-hover': '#23282c',
    '--mantine-color-default-border': '#31373c',
  },
})
