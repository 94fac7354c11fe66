/**
 * HEALTHCHECK of the image, which has no curl: exit code 0 when the monitor answers /healthz with
 * 200. Goes by the environment, as settings are given to a container.
 */
const { MONITORING_PORT, TLS_CERT } = process.env
const scheme = TLS_CERT ? 'https' : 'http'
// The certificate is for the name that visitors use, not for this address.
if (TLS_CERT) process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
try {
  const { ok, status } = await fetch(`${scheme}://127.0.0.1:${MONITORING_PORT || 8081}/healthz`)
  if (!ok) console.error(`/healthz answers ${status}`)
  process.exitCode = ok ? 0 : 1
} catch (error) {
  console.error(`/healthz does not answer: ${error.cause?.message ?? error.message}`)
  process.exitCode = 1
}
