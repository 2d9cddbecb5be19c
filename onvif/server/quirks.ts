import { NAMESPACES } from "../../wsdl/namespaces.ts";
import type { Complex, Member } from "../../wsdl/schema.ts";
import { float, int } from "../../wsdl/simple.ts";
import type { XmlElement } from "../../wsdl/xml.ts";

// What clients do differently from the schemas, and what we make of it. Where a report is named, that is where the behavior was seen.

const ENCODERS: ReadonlySet<string> = new Set(["tr2:SetVideoEncoderConfiguration", "trt:SetAudioEncoderConfiguration"]);

/**
 * npm's onvif writes encoders of Media2 in the order of Media 1.0, and of both leaves out what is 0 (agsh/onvif#339; lib/media.js
 * of 0.8.1), so that it could not write what it has read. Elements are put in the order of the schema, and a number that must be
 * there and is not is 0. It hides no change: what such an operation may say otherwise is decided of what comes out.
 * Vector: test/onvif/server/quirks.test.ts.
 */
export function encoderAsMeant(operation: string, request: Complex<unknown>, body: XmlElement): XmlElement {
  return ENCODERS.has(operation) ? asMeant(request, body) : body;
}

function asMeant({ members }: Complex<unknown>, element: XmlElement): XmlElement {
  const elements = members.filter(({ attribute }) => !attribute);
  const placed = element.children.map((child) => {
    const at = elements.findIndex((member) => is(child, member));
    const type = elements[at]?.type;
    return { at: at < 0 ? elements.length : at, child: type?.kind === "complex" ? asMeant(type, child) : child };
  });
  const given = new Set(placed.map(({ at }) => at));
  for (const [at, member] of elements.entries())
    if (!given.has(at) && member.min === 1 && (member.type === int || member.type === float))
      placed.push({ at, child: zero(member) });
  return { ...element, children: placed.toSorted((a, b) => a.at - b.at).map(({ child }) => child) };
}

function is({ name, ns }: XmlElement, member: Member): boolean {
  return name === member.name && ns === NAMESPACES[member.prefix];
}

function zero({ name, prefix }: Member): XmlElement {
  return { ns: NAMESPACES[prefix], name, attributes: [], children: [], text: "0", scope: undefined };
}
