import { Badge, Button, createTheme, Modal, Table, Tooltip } from '@mantine/core'
import type { CSSVariablesResolver } from '@mantine/core'

/** The color of the water: every shade from 7 on carries white text at 4.5:1 or better. */
const lagoon = [
  '#e9f7f5',
  '#d0ecea',
  '#a3d9d6',
  '#71c5c1',
  '#46b0ac',
  '#26999a',
  '#128385',
  '#0c6f70',
  '#075a5b',
  '#034344',
] as const

const slate = [
  '#f7f9f9',
  '#eff3f3',
  '#e2e8e9',
  '#cfd8da',
  '#b3bfc2',
  '#8d9b9f',
  '#64737a',
  '#4a585e',
  '#303b40',
  '#1b2327',
] as const

const night = [
  '#dbe3e5',
  '#b4c0c4',
  '#94a2a7',
  '#66757b',
  '#3a474c',
  '#2a3539',
  '#1f282c',
  '#171f22',
  '#111719',
  '#0b1011',
] as const

export const theme = createTheme({
  primaryColor: 'lagoon',
  primaryShade: { light: 7, dark: 7 },
  colors: { lagoon, gray: slate, dark: night },
  fontFamily:
    'ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif',
  fontFamilyMonospace:
    'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace',
  defaultRadius: 'sm',
  radius: { xs: '3px', sm: '6px', md: '8px', lg: '12px', xl: '20px' },
  fontSizes: { xs: '0.75rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.25rem' },
  headings: {
    fontWeight: '650',
    sizes: {
      h1: { fontSize: '1.375rem', lineHeight: '1.3' },
      h2: { fontSize: '1rem', lineHeight: '1.4' },
      h3: { fontSize: '0.875rem', lineHeight: '1.4' },
    },
  },
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Button: Button.extend({ defaultProps: { size: 'sm' } }),
    Badge: Badge.extend({
      defaultProps: { variant: 'light', radius: 'sm', tt: 'none', fw: 600, className: 'badge' },
    }),
    Modal: Modal.extend({
      defaultProps: { centered: true, overlayProps: { backgroundOpacity: 0.45 } },
    }),
    Table: Table.extend({ defaultProps: { verticalSpacing: 8, horizontalSpacing: 'md' } }),
    Tooltip: Tooltip.extend({
      defaultProps: {
        multiline: true,
        maw: 320,
        withArrow: true,
        events: { hover: true, focus: true, touch: true },
      },
    }),
  },
})

/** Dimmed text of the stock theme fails 4.5:1 on a tinted page. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-body': '#fbfcfc',
    '--mantine-color-text': '#1b2327',
    '--mantine-color-dimmed': '#55646b',
    '--mantine-color-placeholder': '#6b7a80',
    '--mantine-color-error': '#c22f2f',
    '--mantine-color-anchor': '#0b6768',
  },
  dark: {
    '--mantine-color-body': '#111719',
    '--mantine-color-text': '#dbe3e5',
    '--mantine-color-dimmed': '#9dabb0',
    '--mantine-color-placeholder': '#8796a0',
    '--mantine-color-error': '#ff8f8a',
    '--mantine-color-anchor': '#5cc6c1',
  },
})
