/** A page's request as Chromium sends it, for the loads that are not wrk's. */

/** @param client an id, for a visitor who has been here; without one it is somebody new */
export function pageHead (
  host: string, path: string, { client, isLast = false }: { client?: string, isLast?: boolean } = {}
): string {
  const cookie = client === undefined ? '' : `Cookie: client_id=${client}\r\n`
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n` +
    `Connection: ${isLast ? 'close' : 'keep-alive'}\r\n` +
    'sec-ch-ua: "Not:A-Brand";v="8", "Chromium";v="156"\r\nsec-ch-ua-mobile: ?0\r\n' +
    'sec-ch-ua-platform: "Linux"\r\nUpgrade-Insecure-Requests: 1\r\n' +
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) ' +
    'Chrome/156.0.0.0 Safari/537.36\r\n' +
    'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n' +
    'Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-User: ?1\r\n' +
    'Sec-Fetch-Dest: document\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n' +
    `Accept-Language: en-US,en;q=0.9\r\n${cookie}\r\n`
}
