/** A program that is not ours, with the page script from the router's address in its pages. */
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

export interface Shop {
  readonly url: string
  /** Where the router is. */
  door: string
  /** What the shop's pages say of themselves to the router; left out where undefined. */
  serverName: string | undefined
  /** What its health check finds. */
  health: number
}

/** A page of the shop without the script. */
export const PLAIN_PATH = '/plain'
export const HEALTH_PATH = '/health'

/** @param host as browsers name it; it listens on 127.0.0.1 */
export async function startShop (t: Test, host: string, serverName: string): Promise<Shop> {
  const shop = { url: '', door: '', serverName: serverName as string | undefined, health: 200 }
  const server = http.createServer(({ url }, response) => {
    response.statusCode = url === HEALTH_PATH ? shop.health : 200
    response.setHeader('content-type', 'text/html; charset=utf-8')
    // As helmet has it, by which many apps are protected.
    response.setHeader('referrer-policy', 'no-referrer')
    const isPlain = url === PLAIN_PATH
    if (!isPlain) response.setHeader('content-security-policy', policyFor(shop.door))
    response.end(pageOf(shop, isPlain))
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { server.close().closeAllConnections() })
  shop.url = `http://${host}:${(server.address() as AddressInfo).port}`
  return shop
}

/** All is forbidden that the script does not need; the icon is the test's. */
function policyFor (door: string): string {
  return "default-src 'none'; base-uri 'none'; require-trusted-types-for 'script'; " +
    `script-src ${door}; connect-src ${door}; img-src data:`
}

function pageOf ({ door, serverName }: Shop, isPlain: boolean): string {
  const name = serverName === undefined ? '' : `data-server="${serverName}"`
  const script = `<script src="${door}/usher.js?v=a/b" ${name} crossorigin="use-credentials" defer></script>`
  return `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>A shop</title>
  <link rel="icon" href="data:,">
  ${isPlain ? '' : script}
</head>
<body><main><h1>A shop</h1></main></body>
</html>
`
}
