#!/bin/sh
# Speaks Samba's protocol of helpers as the name that it is called by says, and notes what it is asked in the file of that name.
manner=$(basename "$0")
[ "$manner" = exit ] && { echo "winbind is not there" >&2; exit 3; }
[ "$manner" = unasked ] && printf '%s\n' 'AF SITE\admin'
n=0
while IFS= read -r line; do
  printf '%s\n' "$line" >> "$0.asked"
  n=$((n + 1))
  case "$manner" in
    hang) ;;
    nonsense) echo "OK" ;;
    two) printf 'TT QUJD\nAF SITE\\admin\n' ;;
    long) head -c 20000 /dev/zero | tr '\0' A ;;
    broken) echo "BH NT_STATUS_UNSUCCESSFUL NT_STATUS_UNSUCCESSFUL" ;;
    environment) printf 'NA NT_STATUS_%s\n' "$(env | grep -c VIADUCT_)" ;;
    *)
      case "$line" in
        YR*) printf 'TT %s\n' "$(printf '%s-%s' "$$" "$n" | base64)" ;;
        *) case "$manner" in
          good) printf '%s\n' 'AF SITE\alice' ;;
          other) printf '%s\n' 'AF SITE\bob' ;;
          elsewhere) printf '%s\n' 'AF OTHER\alice' ;;
          *) echo "NA NT_STATUS_$manner" ;;
        esac ;;
      esac ;;
  esac
done
