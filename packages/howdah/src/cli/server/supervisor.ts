/** Argument zero of the loop's shell: by it and the home behind it a loop is recognised in the process list. */
export const SUPERVISOR_MARK = "howdah-supervisor";
/** Ends the loop's pause between two tries. */
export const SUPERVISOR_NUDGE = "SIGUSR1";

/**
 * Keeps control alive where no systemd does: a few lines of shell, because a second Node process would cost 40 MB.
 * It ends when the server ended on purpose (0), when another one runs already (5, SERVER_RUNNING), and when the very
 * first start is refused: whoever asked for it is told why, and nothing is left behind. A server that had run for a
 * while is back at once; one that keeps failing is tried again ever more slowly, at last every 30 seconds. SIGUSR1
 * ends the pause: somebody wants the server now.
 */
const SUPERVISOR_SCRIPT = `
delay=0
first=1
trap 'delay=0' USR1
while :; do
  began=$(date +%s)
  "$2" "$3" server run
  code=$?
  ran=$(($(date +%s) - began))
  case $code in
    0|5) exit $code ;;
    # A nudge that met the server before it was one.
    138|158) continue ;;
  esac
  [ $first = 1 ] && [ $code -lt 128 ] && [ $ran -lt 10 ] && exit $code
  first=0
  [ $ran -ge 10 ] && delay=0
  echo "howdah: the server ended with code $code; starting it again in $delay seconds" >&2
  next=$((delay * 2 + 1))
  if [ $delay != 0 ]; then
    sleep $delay &
    wait $!
    kill $! 2>/dev/null
  fi
  delay=$next
  [ $delay -gt 30 ] && delay=30
done
`;

/** The words behind `sh`. */
export function supervisorArguments(home: string, node: string, program: string): string[] {
  return ["-c", SUPERVISOR_SCRIPT, SUPERVISOR_MARK, home, node, program];
}
