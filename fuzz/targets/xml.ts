import { isDeepStrictEqual } from "node:util";
import { type DiscoveryMessage, parseMessage, printMessage } from "../../discovery/message.ts";
import { decode } from "../../wsdl/decode.ts";
import { printEnvelope, readEnvelope } from "../../wsdl/envelope.ts";
import { NAMESPACES } from "../../wsdl/namespaces.ts";
import { parseXml } from "../../wsdl/parse-xml.ts";
import { serialize } from "../../wsdl/serialize.ts";
import type { ServiceTable } from "../../wsdl/service.ts";
import { DEVICE } from "../../wsdl/tables/tds.ts";
import { MEDIA2 } from "../../wsdl/tables/tr2.ts";
import { RECORDING } from "../../wsdl/tables/trc.ts";
import { REPLAY } from "../../wsdl/tables/trp.ts";
import { MEDIA } from "../../wsdl/tables/trt.ts";
import { SEARCH } from "../../wsdl/tables/tse.ts";
import { escapeXml, type XmlElement } from "../../wsdl/xml.ts";
import { holds, type Target, target } from "../target.ts";

const TABLES: readonly ServiceTable[] = [DEVICE, MEDIA, MEDIA2, RECORDING, SEARCH, REPLAY];

const WORDS =
  '< > </ /> <a> </a> = " \' & &amp; &lt; &#0; &#xD800; &#x41; <![CDATA[ ]]> <!-- --> <!DOCTYPE <?xml ?> xmlns= xmlns:a= a: Envelope Body Header mustUnderstand="1"';

/** The same document in our spelling. */
function printed({ ns, name, attributes, children, text }: XmlElement): string {
  const own = attributes.map(
    (one, index) =>
      ` ${one.ns === "" ? "" : `p${index}:`}${one.name}="${escapeXml(one.value)}"${one.ns === "" ? "" : ` xmlns:p${index}="${escapeXml(one.ns)}"`}`,
  );
  const start = `<${name} xmlns="${escapeXml(ns)}"${own.join("")}>`;
  return `${start}${escapeXml(text)}${children.map(printed).join("")}</${name}>`;
}

/** Without the scopes, which are spelling. */
const meaning = (element: XmlElement): unknown => ({
  ...element,
  scope: undefined,
  children: element.children.map(meaning),
});

/** What was decoded, without what may be anything: that is read by others, and not printed again. */
function described(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(described);
  if (typeof value !== "object" || value === null) return value;
  return "prefixes" in value
    ? "anything"
    : Object.fromEntries(Object.entries(value).map(([name, of]) => [name, described(of)]));
}

const DISCOVERY_WORDS = `${WORDS} Probe ProbeMatches ProbeMatch Resolve Hello Bye Types Scopes XAddrs EndpointReference Address MessageID RelatesTo dn:NetworkVideoTransmitter urn:uuid: onvif://www.onvif.org/`;

export const TARGETS: readonly Target[] = [
  target({
    name: "xml",
    maxBytes: 16_384,
    words: WORDS,
    run(input) {
      const root = parseXml(input);
      // Ours may be longer than what is allowed, in bytes or in declarations.
      const again = parseXml(printed(root), { bytes: 2 ** 24, declarations: 1e6 });
      holds(isDeepStrictEqual(meaning(again), meaning(root)), "what was read is read again as it was printed");
    },
  }),
  target({
    name: "soap",
    maxBytes: 16_384,
    words: `${WORDS} ${TABLES.flatMap(({ operations }) => Object.keys(operations)).join(" ")}`,
    run(input) {
      const { body } = readEnvelope(input);
      const table = TABLES.find(({ namespace }) => namespace === body?.ns);
      const operation = Object.hasOwn(table?.operations ?? {}, body?.name ?? "")
        ? table?.operations[body?.name ?? ""]
        : undefined;
      if (table === undefined || operation === undefined || body === undefined) return;
      const value = decode(operation.request, body);
      const { xml, prefixes } = serialize(table.prefix, body.name, operation.request, value);
      const namespaces = Object.fromEntries([...prefixes].map((prefix) => [prefix, NAMESPACES[prefix]]));
      const again = readEnvelope(printEnvelope({ body: xml, namespaces })).body;
      holds(
        again !== undefined && isDeepStrictEqual(described(decode(operation.request, again)), described(value)),
        "a request is read again as it was printed",
      );
    },
  }),
  target({
    name: "discovery",
    maxBytes: 17_000,
    words: DISCOVERY_WORDS,
    run(input) {
      const message: DiscoveryMessage = parseMessage(input);
      const bytes = printMessage(message);
      // Escaped it may be longer than what one datagram may be.
      if (bytes.length > 16_384) return;
      holds(isDeepStrictEqual(parseMessage(bytes), message), "what was read is read again as it was printed");
    },
  }),
];
