// Asks a part in its own container whether it is ready: node healthcheck.mjs PORT
const [port] = process.argv.slice(2)
const timeoutMs = 4_000
try {
  const response = await fetch(`http://127.0.0.1:${port}/readyz`, {
    signal: AbortSignal.timeout(timeoutMs),
  })
  if (!response.ok) process.exitCode = 1
} catch {
  // Nobody listens, or too slowly: docker needs the exit code only.
  process.exitCode = 1
}
