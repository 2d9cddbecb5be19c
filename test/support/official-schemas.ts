import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import {
  XmlBufferInputProvider,
  XmlDocument,
  type XmlElement,
  XmlValidateError,
  XsdValidator,
  xmlRegisterInputProvider,
} from "libxml2-wasm";
import type { Context } from "mocha";
import { leaveOut } from "./peer.ts";

/** The specifications' own files, by the path of their URLs. They may not be changed and are no part of the project. */
const FOLDER = resolve(process.env["VIADUCT_ONVIF"] ?? join(import.meta.dirname, "../../../shared/onvif"), "schemas");

const ONVIF = "http://www.onvif.org/";
const XS = { x: "http://www.w3.org/2001/XMLSchema" };
const SOAP = { s: "http://www.w3.org/2003/05/soap-envelope" };

/** Files whose schemas we speak, by their URLs. */
const SERVICES = [
  "ver10/device/wsdl/devicemgmt.wsdl",
  "ver10/media/wsdl/media.wsdl",
  "ver20/media/wsdl/media.wsdl",
  "ver10/recording.wsdl",
  "ver10/search.wsdl",
  "ver10/replay.wsdl",
  "ver10/events/wsdl/event.wsdl",
  "ver20/ptz/wsdl/ptz.wsdl",
  "ver20/imaging/wsdl/imaging.wsdl",
  "ver10/deviceio.wsdl",
].map((path) => ONVIF + path);
const COMMON = [
  "ver10/schema/onvif.xsd",
  "ver10/schema/common.xsd",
  "ver10/schema/metadatastream.xsd",
  "ver20/analytics/humanface.xsd",
  "ver20/analytics/humanbody.xsd",
].map((path) => ONVIF + path);
const NOTIFICATION = [
  "http://www.w3.org/2005/08/addressing/ws-addr.xsd",
  "http://docs.oasis-open.org/wsn/b-2.xsd",
  "http://docs.oasis-open.org/wsn/t-1.xsd",
];
const OTHERS = [
  "http://www.w3.org/2003/05/soap-envelope",
  "http://www.w3.org/2005/05/xmlmime",
  "http://www.w3.org/2004/08/xop/include",
  "http://www.w3.org/2001/xml.xsd",
  ...NOTIFICATION,
  "http://docs.oasis-open.org/wsrf/bf-2.xsd",
  "http://schemas.xmlsoap.org/ws/2004/08/addressing/addressing.xsd",
  "http://schemas.xmlsoap.org/ws/2004/08/addressing",
  "http://schemas.xmlsoap.org/ws/2005/04/discovery/ws-discovery.xsd",
];

const MISSING = `${FOLDER} is not there (VIADUCT_ONVIF names the folder with ONVIF's schemas)`;

/** Under CI they may not be missing. */
function areThere(): boolean {
  const there = existsSync(join(FOLDER, "www.onvif.org"));
  if (!there && process.env["CI"] === "true") throw new Error(MISSING);
  return there;
}

/** Where the official files are, or why the running test or hook is skipped. */
export function officialFolder(context: Context): string {
  return areThere() ? FOLDER : leaveOut(context, MISSING);
}

function read(url: string): string | undefined {
  const path = join(FOLDER, url.replace(/^https?:\/\//, ""));
  for (const file of [path, `${path}.xsd`]) {
    try {
      return readFileSync(file, "utf8").replace(/^\uFEFF/, "");
    } catch {
      // The next name, or none.
    }
  }
  return undefined;
}

/** The schema inside a WSDL file, as a document of its own. */
function schemaIn(wsdl: string): string {
  const document = XmlDocument.fromString(wsdl);
  const schema = document.get("//x:schema", XS) as XmlElement;
  for (const [prefix, uri] of Object.entries(schema.namespaces))
    if (prefix !== "" && schema.localNamespaces[prefix] === undefined) schema.addNsDeclaration(uri, prefix);
  const text = schema.toString({ format: false });
  document.dispose();
  return text;
}

/**
 * ONVIF (Core 5.2) lets a wildcard follow elements that it could match, as XML Schema 1.1 does; libxml2 knows 1.0. In what
 * it is given, such a wildcard stands for other namespaces only, and is gone where that is still ambiguous.
 */
function withoutAmbiguity(schema: string): string {
  const document = XmlDocument.fromString(schema);
  const trailing = "//x:any[preceding-sibling::x:* or following-sibling::x:element or following-sibling::x:sequence]";
  for (const any of document.find(trailing, XS) as XmlElement[]) {
    const foreign = any.parent?.find("./x:element[@ref]", XS) ?? [];
    if (foreign.length > 0) any.remove();
    else any.setAttr("namespace", "##other");
  }
  const text = document.toString({ format: false });
  document.dispose();
  return text;
}

/** The official schema of each of our namespaces, as it was published, for looking up what it declares. */
export function officialSchemas(): ReadonlyMap<string, readonly XmlDocument[]> {
  const found = new Map<string, XmlDocument[]>();
  for (const url of [...SERVICES, ...COMMON, ...NOTIFICATION]) {
    const text = read(url) ?? "";
    const schema = XmlDocument.fromString(url.endsWith(".wsdl") ? schemaIn(text) : text);
    const target = schema.root.attr("targetNamespace")?.value ?? "";
    found.set(target, [...(found.get(target) ?? []), schema]);
  }
  return found;
}

/** Says what is wrong with a message: nothing is an empty list. */
export type Problems = (message: string) => readonly string[];

let made: Problems | undefined;

/**
 * A validator of whole SOAP messages against the official schemas, compiled once for all files. Where they are absent it
 * finds nothing, so that the rest of a test still runs; {@link officialFolder} in a test of its own says that they are.
 */
export function officialValidator(): Problems {
  if (!areThere()) return () => [];
  made ??= compile();
  return made;
}

function compile(): Problems {
  const encoder = new TextEncoder();
  const files: Record<string, Uint8Array> = {};
  const imports = new Map<string, string>();
  const put = (url: string, text: string): string => {
    const bytes = encoder.encode(text);
    files[url] = bytes;
    files[url.replace(/^http:/, "https:")] = bytes;
    return url;
  };
  const targetOf = (text: string): string => /<\w*:?schema\b[^>]*?\stargetNamespace="([^"]*)"/.exec(text)?.[1] ?? "";
  for (const url of OTHERS) {
    const text = read(url);
    if (text !== undefined) imports.set(targetOf(text), put(url, text));
  }
  for (const url of COMMON) imports.set(targetOf(read(url) ?? ""), put(url, withoutAmbiguity(read(url) ?? "")));
  // A namespace is imported once: one file for both of its files, which include what they share.
  const both = ["onvif.xsd", "metadatastream.xsd"].map((name) => `<x:include schemaLocation="${name}"/>`).join("");
  const schema = `<x:schema xmlns:x="${XS.x}" targetNamespace="${ONVIF}ver10/schema">${both}</x:schema>`;
  imports.set(`${ONVIF}ver10/schema`, put(`${ONVIF}ver10/schema/both.xsd`, schema));
  for (const url of SERVICES) {
    const schema = schemaIn(read(url) ?? "");
    imports.set(targetOf(schema), put(`${url}.xsd`, withoutAmbiguity(schema)));
  }
  const all =
    `<x:schema xmlns:x="${XS.x}">` +
    `${[...imports].map(([ns, at]) => `<x:import namespace="${ns}" schemaLocation="${at}"/>`).join("")}</x:schema>`;
  xmlRegisterInputProvider(new XmlBufferInputProvider(files));
  const validator = XsdValidator.fromDoc(XmlDocument.fromString(all, { url: "http://www.onvif.org/all.xsd" }));
  const declared = new Set(
    SERVICES.flatMap((url) => {
      const schema = XmlDocument.fromString(schemaIn(read(url) ?? ""));
      const target = schema.root.attr("targetNamespace")?.value ?? "";
      return schema
        .find("/x:schema/x:element", XS)
        .map((one) => `${target} ${(one as XmlElement).attr("name")?.value ?? ""}`);
    }),
  );
  return (message) => {
    const document = XmlDocument.fromString(message);
    try {
      // The envelope takes anything for its body, so an element that no schema declares would pass.
      const undeclared = (document.find("/s:Envelope/s:Body/*[not(self::s:Fault)]", SOAP) as XmlElement[])
        .filter((one) => one.namespaceUri.startsWith(ONVIF) && !declared.has(`${one.namespaceUri} ${one.name}`))
        .map((one) => `${one.name} is not declared in ${one.namespaceUri}`);
      return [...undeclared, ...invalid(validator, document)];
    } finally {
      document.dispose();
    }
  };
}

function invalid(validator: XsdValidator, document: XmlDocument): readonly string[] {
  try {
    validator.validate(document);
    return [];
  } catch (thrown) {
    if (!(thrown instanceof XmlValidateError)) throw thrown;
    return thrown.details.map(({ message }) => message.trim());
  }
}
