export { closeCode } from './close-code.ts'
export type { Datagram, FlowOrigin } from './datagram.ts'
export { frameType } from './frame.ts'
export { Heartbeat, type HeartbeatIo } from './heartbeat.ts'
export { ChunkedDecoder, chunkSizeLine, trailerFault } from './http/chunked.ts'
export { field, fieldOf } from './http/field.ts'
export {
  absoluteForm,
  endpointHostOf,
  requestBody,
  requestFault,
  responseBody,
  type BodyKind,
} from './http/framing.ts'
export { HeadScanner, incomplete, malformed } from './http/scan-head.ts'
export { watchMessageEnd } from './http2/message-end.ts'
export { openSocketLink, type SocketLink } from './link.ts'
export * from './limits.ts'
export {
  sharedVersion,
  type Details,
  type GoAway,
  type Hello,
  type Policy,
  type Refusal,
  type Welcome,
} from './message.ts'
export {
  encodeRawOpening,
  openFlag,
  openPrefixBytes,
  parseRawOpening,
  writeOpenPrefix,
  type RawOpening,
} from './open-head.ts'
export { Redial, type RedialIo } from './redial.ts'
export type { SessionEvents, SessionIo, SessionWindows } from './session-io.ts'
export { Session } from './session.ts'
export { DirectSocket, DirectSockets } from './socket/direct-socket.ts'
export type { Slab, SlabPool } from './socket/slab.ts'
export { Splice, type Spliced } from './splice.ts'
export { resetSocket } from './upstream/reset-socket.ts'
export { TunnelStream, type StreamEvents } from './stream.ts'
export type { Exchanged, ExchangeTap } from './upstream/exchange-report.ts'
export {
  Forwarder,
  type ForwarderOptions,
  type UpstreamAddress,
  type UpstreamProtocol,
} from './upstream/forwarder.ts'
export { proxyHeader, type ProxyProtocolVersion } from './upstream/proxy-protocol.ts'
export { RawForwarder, type Carried, type RawForwarderOptions } from './upstream/raw-forwarder.ts'
export { acceptOf, messageHeadroomBytes } from './websocket.ts'
