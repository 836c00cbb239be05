/** The same world with a clock that never goes back, whatever is done to the clock of the machine. */
export function steady(world) {
  let last = world.now();
  let ahead = 0;
  const now = () => {
    const wall = world.now();
    if (wall < last) ahead += last - wall;
    last = wall;
    return wall + ahead;
  };
  return { ...world, now };
}
