/**
 * The pages: login, password, console, and the files that they load. Files are the same for
 * everybody and need no session; what is in them is no secret.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { codingChooser } from '@usher/shared/http/files/content-coding.ts'
import { fileReply } from '@usher/shared/http/files/file-reply.ts'
import type { StoredFile } from '@usher/shared/http/files/stored-file.ts'
import { requestFields } from '@usher/shared/http/vocabulary/values.ts'
import type { Pages } from './pages.ts'
import type { WireApp } from './wire.ts'

export interface PageRoutesParts {
  readonly pages: Pages
}

type PageQuery = { Querystring: { error?: string | string[] } }

const HTML_TYPE = 'text/html; charset=utf-8'
const hidden = { hide: true } as const

export function addPageRoutes (app: WireApp, { pages }: PageRoutesParts): void {
  const page = { isPage: true } as const

  app.get<PageQuery>('/login.html', {
    config: { needs: 'nothing' }, schema: hidden
  }, (request, reply) => reply.type(HTML_TYPE).send(pages.login(errorOf(request.query))))

  app.get<PageQuery>('/password.html', {
    config: { ...page, needs: 'session', isOpenBeforeChange: true }, schema: hidden
  }, (request, reply) => reply.type(HTML_TYPE).send(pages.password(errorOf(request.query))))

  for (const url of ['/', '/tracker.html']) {
    app.get(url, { config: { ...page, needs: 'view' }, schema: hidden },
      (_request, reply) => reply.type(HTML_TYPE).send(pages.console()))
  }

  const codings = codingChooser()
  for (const [path, file] of pages.assets.files) {
    app.get(path, { config: { needs: 'nothing', isForDenied: true }, schema: hidden },
      (request, reply) => sendFile(request, reply, file, codings))
  }
}

function errorOf ({ error }: PageQuery['Querystring']): string | undefined {
  return typeof error === 'string' ? error : undefined
}

function sendFile (
  request: FastifyRequest, reply: FastifyReply, file: StoredFile,
  codings: ReturnType<typeof codingChooser>
): FastifyReply {
  const { method, headers } = request
  const answer = fileReply(file, { method, headers: requestFields(headers) }, codings)
  for (let at = 0; at < answer.headers.length; at += 2) {
    reply.header(answer.headers[at]!, answer.headers[at + 1])
  }
  return reply.code(answer.status).send(answer.body)
}
