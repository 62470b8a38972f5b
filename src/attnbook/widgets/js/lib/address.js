// The shared link: #QKVPlayground-1=<state as base64url JSON>, one part a widget, joined by &.

const encode = (state) =>
  btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify(state))))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");

const decode = (text) => {
  const bytes = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(bytes, (letter) => letter.charCodeAt(0))));
};

const parts = () =>
  location.hash
    .slice(1)
    .split("&")
    .filter((part) => part.includes("="));

// What reads the state of this widget from the address (it throws where that is damaged); undefined if none is there.
export function readPart(id) {
  const part = id && parts().find((one) => one.startsWith(`${id}=`));
  return part && (() => decode(part.slice(id.length + 1)));
}

export function writePart(id, state) {
  const rest = parts().filter((part) => !part.startsWith(`${id}=`));
  try {
    history.replaceState(history.state, "", `#${[...rest, `${id}=${encode(state)}`].join("&")}`);
  } catch {
    // Some hosts forbid it (a sandboxed frame): the link is then not offered, the widget works on.
  }
}
