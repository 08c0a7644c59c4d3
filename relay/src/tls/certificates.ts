import type { ServedCertificate } from './certificate.ts'
import type { FetchedCertificates } from './fetched-certificates.ts'
import type { StaticCertificates } from './static-certificates.ts'

export interface Certificates {
  /** The certificate to show for a name; undefined: this relay has none to show. */
  find(
    serverName: string | undefined,
  ): ServedCertificate | undefined | Promise<ServedCertificate | undefined>
}

/** Chooses by server name: files first, then what the control plane has for the domain, then the relay's own. */
export function createCertificates({
  files,
  fetched,
  apex,
}: {
  readonly files: StaticCertificates
  readonly fetched: FetchedCertificates | undefined
  readonly apex: string
}): Certificates {
  return {
    find(serverName) {
      if (serverName === undefined) return files.own
      const found = files.find(serverName)
      if (found || !fetched || serverName === apex || serverName.endsWith(`.${apex}`)) {
        return found ?? files.own
      }
      const certificate = fetched.find(serverName)
      return certificate instanceof Promise
        ? certificate.then((one) => one ?? files.own)
        : (certificate ?? files.own)
    },
  }
}
