/** The mark: a gate half drawn up, with water running under it. */
export function Mark({ size = 24 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="7" fill="var(--sluice-mark)" />
      <path d="M9 6v20M23 6v20" stroke="#fff" strokeWidth="3" strokeLinecap="round" />
      <path d="M9 9h14v7H9z" fill="#fff" />
      <path
        d="M12 21.5c1.4-1.3 2.7-1.3 4 0s2.6 1.3 4 0"
        stroke="#7fe0d6"
        strokeWidth="2.4"
        fill="none"
        strokeLinecap="round"
      />
    </svg>
  )
}
