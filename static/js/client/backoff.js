/** Full jitter: anything from nothing to a bound that doubles with each round, in ms. */
export function backoff(world, rounds, mostMs = 30000, firstMs = 500) {
  return world.random() * Math.min(mostMs, firstMs * 2 ** rounds);
}
