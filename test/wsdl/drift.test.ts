import { expect } from "chai";
import type { XmlDocument, XmlElement } from "libxml2-wasm";
import { NAMESPACES } from "../../wsdl/namespaces.ts";
import type { Complex, Member, Type } from "../../wsdl/schema.ts";
import { officialFolder, officialSchemas } from "../support/official-schemas.ts";
import { CHOICES, messagesOf, operationsOf, TABLES } from "./table-values.ts";

const XS = "http://www.w3.org/2001/XMLSchema";
const NS = { x: XS };

/** What a schema says of one element or attribute. */
interface Row {
  readonly name: string;
  readonly ns: string;
  readonly attribute: boolean;
  readonly min: number;
  readonly many: boolean;
  /** `namespace name`; empty where the type has no name. */
  readonly type: string;
  /** Where the type has no name. */
  readonly inline?: XmlElement;
}

const attribute = (element: XmlElement, name: string): string | undefined => element.attr(name)?.value;
const elements = (element: XmlElement, ...names: readonly string[]): readonly XmlElement[] =>
  names.flatMap((name) => element.find(`./x:${name}`, NS) as XmlElement[]);

describe("the tables of operations, beside the official files", () => {
  let schemas: ReadonlyMap<string, readonly XmlDocument[]>;

  before(function () {
    officialFolder(this);
    schemas = officialSchemas();
  });
  after(() => {
    for (const document of [...(schemas?.values() ?? [])].flat()) document.dispose();
  });

  /** `kind` is element, complexType or simpleType. */
  function declared(kind: string, ns: string, name: string): XmlElement | undefined {
    for (const document of schemas.get(ns) ?? []) {
      const found = document.get(`/x:schema/x:${kind}[@name="${name}"]`, NS);
      if (found !== null) return found as XmlElement;
    }
    return undefined;
  }

  function nameIn(element: XmlElement, qualified: string | undefined): string {
    const [prefix = "", name = ""] = qualified?.includes(":") === true ? qualified.split(":") : ["", qualified];
    return qualified === undefined ? "" : `${element.namespaceForPrefix(prefix) ?? ""} ${name}`;
  }

  /** Elements and attributes of a complex type in order, those of its base first. */
  function rowsOf(complex: XmlElement, ns: string): readonly Row[] {
    const [extension] = elements(complex, "complexContent").flatMap((one) => elements(one, "extension"));
    const content = extension ?? complex;
    const base = extension && nameIn(extension, attribute(extension, "base")).split(" ");
    const inherited =
      base === undefined
        ? []
        : rowsOf(declared("complexType", base[0] ?? "", base[1] ?? "") as XmlElement, base[0] ?? "");
    const own = particles(content, ns, 1);
    const attributes = elements(content, "attribute").map((one) => ({
      name: attribute(one, "name") ?? "",
      ns: "",
      attribute: true,
      min: attribute(one, "use") === "required" ? 1 : 0,
      many: false,
      type: nameIn(one, attribute(one, "type")),
    }));
    return [...inherited, ...own, ...attributes];
  }

  function particles(parent: XmlElement, ns: string, least: number): readonly Row[] {
    return (parent.find("./x:sequence|./x:choice|./x:element", NS) as XmlElement[]).flatMap((one) => {
      const min = Math.min(least, Number(attribute(one, "minOccurs") ?? 1));
      if (one.name === "sequence") return particles(one, ns, min);
      if (one.name === "choice") return particles(one, ns, 0);
      const name = attribute(one, "name");
      const max = attribute(one, "maxOccurs") ?? "1";
      const ref = attribute(one, "ref");
      if (ref !== undefined) {
        const [of = "", refName = ""] = nameIn(one, ref).split(" ");
        const there = declared("element", of, refName);
        const type = there === undefined ? "" : nameIn(there, attribute(there, "type"));
        return [{ name: refName, ns: of, attribute: false, min, many: max !== "1", type }];
      }
      if (name === undefined) return [];
      const [inline] = elements(one, "complexType");
      const type = nameIn(one, attribute(one, "type"));
      return [{ name, ns, attribute: false, min, many: max !== "1", type, ...(inline && { inline }) }];
    });
  }

  const seen = new Set<string>();

  function compare(type: Complex<unknown>, official: XmlElement, ns: string): void {
    const rows = rowsOf(official, ns);
    expect(CHOICES.has(type.name), `${type.name}: one member at a time`).to.equal(
      official.find(".//x:choice", NS).length > 0,
    );
    let at = -1;
    for (const member of type.members) {
      const where = `${type.name}/${member.name}`;
      const index = rows.findIndex((row) => row.name === member.name && row.attribute === member.attribute);
      if (index === -1 && NAMESPACES[member.prefix] !== ns && official.find("./x:sequence/x:any", NS).length > 0) {
        compareElement(member, where);
        continue;
      }
      expect(index, `${where} is not in the official files`).not.to.equal(-1);
      const row = rows[index] as Row;
      if (!member.attribute) {
        expect(index, `${where} stands elsewhere`).to.be.greaterThan(at);
        at = index;
        expect(NAMESPACES[member.prefix], `${where}: namespace`).to.equal(row.ns);
      }
      expect({ min: member.min, many: member.many }, where).to.deep.equal({ min: row.min, many: row.many });
      compareType(member.type, row, where);
    }
    const needed = rows.filter(({ min }) => min > 0).map(({ name }) => name);
    expect(
      type.members.map(({ name }) => name),
      `${type.name} without what it needs`,
    ).to.include.members(needed);
  }

  /** What stands where the schema lets anything be: an element of its own. */
  function compareElement({ prefix, name, type }: Member, where: string): void {
    const official = declared("element", NAMESPACES[prefix], name);
    const [inline] = official === undefined ? [] : elements(official, "complexType");
    if (inline === undefined || type.kind !== "complex") throw new Error(`${where} is not in the official files`);
    compare(type, inline, NAMESPACES[prefix]);
  }

  function compareType(given: Type, row: Row, where: string): void {
    const type = given.kind === "anything" ? given.told : given;
    if (type === undefined) return;
    const [prefix = "", name = ""] = type.name.split(":");
    const ns = prefix === "xs" ? XS : NAMESPACES[prefix as keyof typeof NAMESPACES];
    if (row.type !== "") expect(`${ns} ${name}`, `${where}: type`).to.equal(row.type);
    if (seen.has(type.name)) return;
    seen.add(type.name);
    if (type.kind === "complex") {
      const official = row.inline ?? declared("complexType", ns, name);
      if (official === undefined) throw new Error(`${type.name} is not in the official files`);
      compare(type, official, ns);
    } else if (type.values !== undefined) {
      const official = declared("simpleType", ns, name);
      const words = (official?.find(".//x:enumeration", NS) ?? []) as XmlElement[];
      expect(type.values, type.name).to.deep.equal(words.map((one) => attribute(one, "value")));
    }
  }

  for (const table of TABLES) {
    it(`have the messages of ${table.prefix}, their order, occurrence, types and words`, () => {
      for (const [operation, row] of operationsOf(table))
        for (const [name, message] of messagesOf(operation, row)) {
          const official = declared("element", table.namespace, name);
          if (official === undefined) throw new Error(`${table.prefix}:${name} is not in the official files`);
          const [inline] = elements(official, "complexType");
          const [ns = "", type = ""] = nameIn(official, attribute(official, "type")).split(" ");
          compare(message, inline ?? (declared("complexType", ns, type) as XmlElement), inline ? table.namespace : ns);
        }
    });

    it(`name every operation that ${table.prefix} has`, () => {
      const requests = (schemas.get(table.namespace) ?? [])
        .flatMap((document) => document.find("/x:schema/x:element", NS) as XmlElement[])
        .map((one) => attribute(one, "name") ?? "")
        .filter((name, _, all) => all.includes(`${name}Response`));
      const ours = [...operationsOf(table).map(([name]) => name), ...table.others.keys()];
      expect(new Set(ours).size, "an operation twice").to.equal(ours.length);
      // A namespace may have several port types, each with a table.
      const all = TABLES.filter(({ prefix }) => prefix === table.prefix).flatMap(({ operations, others }) => [
        ...Object.keys(operations),
        ...others.keys(),
      ]);
      expect(all).to.include.members(requests);
    });
  }
});
