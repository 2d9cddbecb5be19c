import { NAMESPACES, type Prefix } from "./namespaces.ts";
import type { Complex, Member, Simple, Type } from "./schema.ts";
import type { ServiceTable } from "./service.ts";
import { escapeXml } from "./xml.ts";

/** Types of the official schemas that are lists, by what they are lists of; all other simple types of theirs are told as strings. */
const LISTS: Readonly<Record<string, string>> = {
  "tt:IntList": "xs:int",
  "tt:FloatList": "xs:float",
  "tt:StringList": "xs:string",
  "tt:StringAttrList": "xs:string",
};

const REST =
  '<xs:any namespace="##any" processContents="lax" minOccurs="0" maxOccurs="unbounded"/></xs:sequence><xs:anyAttribute processContents="lax"/>';

/** One schema as it grows, by the names of what it declares. */
interface Schema {
  readonly types: Map<string, string>;
  readonly elements: Map<string, string>;
  readonly uses: Set<Prefix>;
}

/**
 * The WSDL 1.1 of what is served at one address, SOAP 1.2, made from our tables: the operations that there are, and of their types
 * the parts that we read and write. It says less than ONVIF's own files, and nothing else.
 */
export function printWsdl(tables: readonly [ServiceTable, ...ServiceTable[]], address: string): string {
  const schemas = new Schemas();
  const [{ namespace }] = tables;
  let messages = "";
  let ports = "";
  let bindings = "";
  let places = "";
  for (const table of tables) {
    const { prefix, actions, operations } = table;
    const port = portOf(table);
    let abstract = "";
    let concrete = "";
    for (const [name, { request, response }] of Object.entries(operations)) {
      schemas.message(prefix, name, request);
      schemas.message(prefix, `${name}Response`, response);
      const [asked, answered] = [`${port}_${name}`, `${port}_${name}Response`];
      messages += `<wsdl:message name="${asked}"><wsdl:part name="parameters" element="${prefix}:${name}"/></wsdl:message>`;
      messages += `<wsdl:message name="${answered}"><wsdl:part name="parameters" element="${prefix}:${name}Response"/></wsdl:message>`;
      abstract += `<wsdl:operation name="${name}"><wsdl:input message="tns:${asked}"/><wsdl:output message="tns:${answered}"/></wsdl:operation>`;
      const body = '<soap:body use="literal"/>';
      concrete += `<wsdl:operation name="${name}"><soap:operation soapAction="${actions}/${name}"/><wsdl:input>${body}</wsdl:input><wsdl:output>${body}</wsdl:output></wsdl:operation>`;
    }
    ports += `<wsdl:portType name="${port}">${abstract}</wsdl:portType>`;
    bindings += `<wsdl:binding name="${port}Binding" type="tns:${port}"><soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>${concrete}</wsdl:binding>`;
    places += `<wsdl:port name="${port}" binding="tns:${port}Binding"><soap:address location="${escapeXml(address)}"/></wsdl:port>`;
  }
  const declared = schemas.prefixes.map((prefix) => ` xmlns:${prefix}="${NAMESPACES[prefix]}"`).join("");
  return (
    `<?xml version="1.0" encoding="UTF-8"?>\n<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" ` +
    `xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap12/" xmlns:xs="${NAMESPACES.xs}" xmlns:tns="${namespace}"${declared} ` +
    `targetNamespace="${namespace}"><wsdl:types>${schemas.print()}</wsdl:types>${messages}${ports}${bindings}` +
    `<wsdl:service name="Viaduct">${places}</wsdl:service></wsdl:definitions>\n`
  );
}

/** The last part of the actions where these name a port type. */
function portOf({ prefix, namespace, actions }: ServiceTable): string {
  return actions === namespace ? prefix : (actions.split("/").at(-1) ?? prefix);
}

class Schemas {
  readonly #all = new Map<Prefix, Schema>();

  get prefixes(): readonly Prefix[] {
    return [...this.#all.keys()];
  }

  message(prefix: Prefix, name: string, type: Complex<unknown>): void {
    const { elements } = this.#of(prefix);
    if (elements.has(name)) return;
    // Before it is known, so that a type that holds itself ends.
    elements.set(name, "");
    elements.set(
      name,
      `<xs:element name="${name}"><xs:complexType>${this.#content(prefix, type)}</xs:complexType></xs:element>`,
    );
  }

  print(): string {
    return [...this.#all]
      .map(([prefix, { types, elements, uses }]) => {
        const imports = [...uses]
          .filter((one) => one !== prefix)
          .map((one) => `<xs:import namespace="${NAMESPACES[one]}"/>`);
        return `<xs:schema targetNamespace="${NAMESPACES[prefix]}" elementFormDefault="qualified">${imports.join("")}${[...elements.values(), ...types.values()].join("")}</xs:schema>`;
      })
      .join("");
  }

  #of(prefix: Prefix): Schema {
    const known = this.#all.get(prefix) ?? { types: new Map(), elements: new Map(), uses: new Set<Prefix>() };
    this.#all.set(prefix, known);
    return known;
  }

  #content(prefix: Prefix, { members, open }: Complex<unknown>): string {
    const elements = members.filter(({ attribute }) => !attribute).map((one) => this.#element(prefix, one));
    const attributes = members
      .filter(({ attribute }) => attribute)
      .map(
        ({ name, type, min }) =>
          `<xs:attribute name="${name}" type="${this.#name(prefix, type as Simple<unknown>)}"${min === 1 ? ' use="required"' : ""}/>`,
      );
    const more = open
      ? REST.replace("##any", "##other").replace("<xs:anyAttribute", `${attributes.join("")}<xs:anyAttribute`)
      : `</xs:sequence>${attributes.join("")}`;
    return `<xs:sequence>${elements.join("")}${more}`;
  }

  #element(prefix: Prefix, { name, prefix: own, type, min, many }: Member): string {
    const occurs = `${min === 0 ? ' minOccurs="0"' : ""}${many ? ' maxOccurs="unbounded"' : ""}`;
    if (own === prefix) return this.#declared(prefix, name, type, occurs);
    this.#of(prefix).uses.add(own);
    const { elements } = this.#of(own);
    if (!elements.has(name)) elements.set(name, this.#declared(own, name, type, ""));
    return `<xs:element ref="${own}:${name}"${occurs}/>`;
  }

  #declared(prefix: Prefix, name: string, type: Type, occurs: string): string {
    const told = type.kind === "anything" ? type.told : type;
    if (told !== undefined) return `<xs:element name="${name}" type="${this.#name(prefix, told)}"${occurs}/>`;
    return `<xs:element name="${name}"${occurs}><xs:complexType mixed="true"><xs:sequence>${REST}</xs:complexType></xs:element>`;
  }

  /** The name of a type, which is declared where it was not yet. */
  #name(user: Prefix, type: Complex<unknown> | Simple<unknown>): string {
    const [prefix, name] = type.name.split(":") as [Prefix, string];
    if (prefix === "xs") return type.name;
    this.#of(user).uses.add(prefix);
    const { types } = this.#of(prefix);
    if (types.has(name)) return type.name;
    types.set(name, "");
    if (type.kind === "complex")
      types.set(name, `<xs:complexType name="${name}">${this.#content(prefix, type)}</xs:complexType>`);
    else types.set(name, `<xs:simpleType name="${name}">${simple(type.name, type.values)}</xs:simpleType>`);
    return type.name;
  }
}

function simple(name: string, values: readonly string[] | undefined): string {
  const item = LISTS[name];
  if (item !== undefined) return `<xs:list itemType="${item}"/>`;
  const words = (values ?? []).map((value) => `<xs:enumeration value="${escapeXml(value)}"/>`);
  return `<xs:restriction base="xs:string">${words.join("")}</xs:restriction>`;
}
