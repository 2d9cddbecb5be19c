/**
 * The namespaces of ONVIF and of what it stands on, by the prefixes that its documents, test tools and logs use. What we
 * print uses these prefixes; what we read is compared by namespace alone.
 */
export const NAMESPACES = {
  s: "http://www.w3.org/2003/05/soap-envelope",
  wsa: "http://www.w3.org/2005/08/addressing",
  ter: "http://www.onvif.org/ver10/error",
  tt: "http://www.onvif.org/ver10/schema",
  tds: "http://www.onvif.org/ver10/device/wsdl",
  trt: "http://www.onvif.org/ver10/media/wsdl",
  tr2: "http://www.onvif.org/ver20/media/wsdl",
  tev: "http://www.onvif.org/ver10/events/wsdl",
  trc: "http://www.onvif.org/ver10/recording/wsdl",
  tse: "http://www.onvif.org/ver10/search/wsdl",
  trp: "http://www.onvif.org/ver10/replay/wsdl",
  tmd: "http://www.onvif.org/ver10/deviceIO/wsdl",
  timg: "http://www.onvif.org/ver20/imaging/wsdl",
  tptz: "http://www.onvif.org/ver20/ptz/wsdl",
  wsnt: "http://docs.oasis-open.org/wsn/b-2",
  wstop: "http://docs.oasis-open.org/wsn/t-1",
  wsrfbf: "http://docs.oasis-open.org/wsrf/bf-2",
  wsrfr: "http://docs.oasis-open.org/wsrf/r-2",
  tns1: "http://www.onvif.org/ver10/topics",
  dn: "http://www.onvif.org/ver10/network/wsdl",
  wsse: "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd",
  xs: "http://www.w3.org/2001/XMLSchema",
  wsu: "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd",
  xsi: "http://www.w3.org/2001/XMLSchema-instance",
} as const;

export type Prefix = keyof typeof NAMESPACES;

/** ` xmlns:tt="…" xmlns:tds="…"`, each once, for the start tag of an envelope. */
export function declarations(prefixes: Iterable<Prefix>): string {
  let text = "";
  for (const prefix of new Set(prefixes)) text += ` xmlns:${prefix}="${NAMESPACES[prefix]}"`;
  return text;
}
