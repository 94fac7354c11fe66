/**
 * `/usher.js` of the router: the page script for pages that other programs serve, on whatever
 * origin. Read and compressed when it is first asked for, so that no start waits for it. Main
 * thread.
 */
import { codingChooser } from '@usher/shared/http/files/content-coding.ts'
import { fileReply } from '@usher/shared/http/files/file-reply.ts'
import { PLAIN_HEADERS, type StoredFile } from '@usher/shared/http/files/stored-file.ts'
import { originCheck, readableBy, type CorsSettings } from '@usher/shared/http/vocabulary/cors.ts'
import { optionsReply, textReply } from '@usher/shared/http/vocabulary/replies.ts'
import type { Handler, Reply } from '@usher/shared/http/vocabulary/values.ts'
import {
  renderServerScript, storePageScript, type ServerScriptSettings
} from '@usher/shared/page-script.ts'

export interface ServerScriptParts {
  readonly settings: CorsSettings & ServerScriptSettings
  /** Of the built script. */
  readonly readScript: () => Promise<string>
}

const ALLOW = 'GET, HEAD'
/** A page that isolates itself takes only what says that it is for all. */
const HEADERS = {
  ...PLAIN_HEADERS, vary: 'Origin', others: ['Cross-Origin-Resource-Policy', 'cross-origin']
}
const FOR_ALL = ['Access-Control-Allow-Origin', '*']

export function serverScript ({ settings, readScript }: ServerScriptParts): Handler {
  const originOf = originCheck(settings)
  const codings = codingChooser()
  let script: Promise<StoredFile> | undefined

  function load (): Promise<StoredFile> {
    script ??= readScript()
      .then(source => storePageScript(renderServerScript(source, settings), true, HEADERS))
      .catch(error => {
        script = undefined // The next one tries again.
        throw error
      })
    return script
  }

  return async request => {
    if (request.method === 'OPTIONS') return optionsReply(ALLOW)
    if (request.method !== 'GET' && request.method !== 'HEAD') return notAllowed()
    return readable(fileReply(await load(), request, codings), originOf(request))
  }
}

/** There is nothing in it but for everybody; with `crossorigin="use-credentials"` if it must be. */
function readable (reply: Reply, origin: string | undefined): Reply {
  const { status, headers, body, isPage } = reply
  const fields = origin === undefined ? FOR_ALL : readableBy(origin)
  return { status, headers: [...headers, ...fields], body, isPage }
}

function notAllowed (): Reply {
  return textReply(405, `Only ${ALLOW} are answered here.\n`, ['Allow', ALLOW])
}
