/** A server that is not Usher's: what visitors are sent to, and what health checks ask. */
import http from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Elsewhere {
  readonly url: string
  /** What it answers from now on. */
  status: number
  /** Of all requests so far, the paths. */
  readonly asked: readonly string[]
  /** No port listens any more, and nobody is connected. */
  close (): Promise<void>
}

interface Owner {
  teardown (end: () => unknown): void
}

/** @param port 0 for one that the kernel chooses */
export async function startElsewhere (t: Owner, port = 0): Promise<Elsewhere> {
  const asked: string[] = []
  const server = http.createServer((request, response) => {
    asked.push(request.url!)
    response.writeHead(elsewhere.status).end()
  })
  await new Promise<void>(resolve => { server.listen(port, '127.0.0.1', resolve) })
  const elsewhere: Elsewhere = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    status: 200,
    asked,
    close: () => new Promise(resolve => {
      server.close(() => { resolve() })
      server.closeAllConnections()
    })
  }
  t.teardown(() => elsewhere.close())
  return elsewhere
}
