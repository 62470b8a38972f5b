// What one attention layer computes, reads and keeps at a step of generation: widgets/causal_stepper.py.

export const VARIANTS = ["multi-head", "grouped", "multi-query", "latent"];

// Heads of keys and values; 0 for "latent", which forms none.
export const kvHeads = ({ n_heads, n_kv_heads }, variant) =>
  ({ "multi-head": n_heads, grouped: n_kv_heads, "multi-query": 1, latent: 0 })[variant];

// Numbers that are kept of one token.
export const keptPerToken = (sizes, variant) =>
  variant === "latent" ? sizes.d_latent + sizes.d_rotary : 2 * kvHeads(sizes, variant) * sizes.d_head;

// Numbers computed now: queries, kept (keys and values, or latent vectors), scores; read from the cache; and the
// cache's bytes after the step.
export function counts(sizes, variant, step, cached) {
  const ofQuery = variant === "latent" ? sizes.d_latent + sizes.d_rotary : sizes.d_head;
  const kept = keptPerToken(sizes, variant);
  const tokens = cached ? 1 : step;
  return {
    queries: tokens * sizes.n_heads * ofQuery,
    kept: tokens * kept,
    scores: sizes.n_heads * (cached ? step : (step * (step + 1)) / 2),
    read: cached ? (step - 1) * kept : 0,
    bytes: cached ? step * kept * sizes.bytes_per_number : 0,
  };
}

// The rows of the picture: the queries, then what is kept of a token.
export function parts(sizes, variant) {
  if (variant === "latent") return ["queries", "latent vector", "rotary key"];
  const groups = kvHeads(sizes, variant);
  const shared = sizes.n_heads / groups;
  const of = (group) =>
    shared === 1 ? `head ${group + 1}` : `heads ${group * shared + 1}–${(group + 1) * shared}`;
  const rows = (name) => Array.from({ length: groups }, (_, group) => `${name}, ${of(group)}`);
  return ["queries", ...rows("key"), ...rows("value")];
}

// What a step does with a part of a token (from 1): "new", "again", "read", or "" for nothing.
export function doing(part, token, step, cached) {
  if (token > step) return "";
  if (token === step) return "new";
  if (!cached) return "again";
  return part === "queries" ? "" : "read";
}
