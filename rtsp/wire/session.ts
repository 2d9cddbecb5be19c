import { Fault } from "../../base/fault.ts";

/** A Session header (RFC 2326 12.37). */
export interface SessionHeader {
  readonly id: string;
  readonly timeoutSeconds?: number;
}

/** Reads a Session header. An id is what the other side chose, up to 256 characters without blanks; a timeout that makes no sense is left out. */
export function parseSession(value: string): SessionHeader {
  const [first = "", ...parameters] = value.split(";");
  const id = first.trim();
  if (!/^[!-~]{1,256}$/.test(id)) throw new Fault("invalid", `Session: "${id.slice(0, 40)}"`);
  for (const parameter of parameters) {
    const match = /^\s*timeout\s*=\s*(\d{1,6})(?!\d)/i.exec(parameter);
    if (match !== null) return { id, timeoutSeconds: Number(match[1]) };
  }
  return { id };
}

export function printSession({ id, timeoutSeconds }: SessionHeader): string {
  return timeoutSeconds === undefined ? id : `${id};timeout=${timeoutSeconds}`;
}
