/** An external server of the fuzzed programs: it is well, and has the same start page. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { INDEX } from './planted-site.ts'

export const SHOP_NAME = 'shop'
/** Servers that inputs may add; none of them is ever up. */
export const ADDED_NAMES = ['added-1', 'added-2', 'added-3']

export interface Shop {
  /** As EXTERNAL_SERVERS has it. */
  readonly setting: string
  close (): void
}

export async function startShop (): Promise<Shop> {
  const server = createServer((_request, response) => { response.end(INDEX) })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  return {
    setting: `${SHOP_NAME}=http://127.0.0.1:${port}`,
    close () {
      server.close()
      server.closeAllConnections()
    }
  }
}
