/** RFC 5321 4.5.3.1: at most 254 characters. Of what RFC 5322 allows, what real addresses are made of: no quotes, comments, blanks or lists. */
const ADDRESS =
  /^(?=.{3,254}$)[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;

/** Whether it is the e-mail address of one mailbox, and nothing that could become more in the head of a message. */
export function isMailAddress(text: string): boolean {
  return ADDRESS.test(text);
}
