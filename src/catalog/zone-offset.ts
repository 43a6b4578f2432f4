/** How far the clocks of a time zone are ahead of UTC. Pure. */

/**
 * Gives, for an instant in milliseconds, what is added to it to get the zone's time of day, in
 * milliseconds; fractions of a second do not count. `timeZone` is an IANA name that Intl knows.
 */
export function zoneOffset(timeZone: string): (at: number) => number {
  const format = new Intl.DateTimeFormat('en-US-u-ca-gregory-nu-latn', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (at) => {
    const parts = new Map(format.formatToParts(at).map((part) => [part.type, Number(part.value)]));
    const take = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
    const wallMs = Date.UTC(
      take('year'),
      take('month') - 1,
      take('day'),
      take('hour'),
      take('minute'),
      take('second'),
    );
    return wallMs - Math.floor(at / 1000) * 1000;
  };
}
