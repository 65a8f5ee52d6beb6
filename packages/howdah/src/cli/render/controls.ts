/**
 * Text that a stranger had a hand in (a server's log, an error's words, a setting's value) must not drive the terminal
 * of whoever reads it: escape sequences can rewrite what stands there, or have it type. Line breaks, tabs and our own
 * colours stay; every other control character is shown as its picture.
 */
const CONTROLS = /\x1b\[[0-9;]*m|[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;
const PICTURES = 0x2400;

export function showControls(text: string): string {
  return text.replace(CONTROLS, (found) => {
    if (found.length > 1) return found;
    const code = found.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(PICTURES + code);
    return code === 0x7f ? "\u2421" : "\ufffd";
  });
}
