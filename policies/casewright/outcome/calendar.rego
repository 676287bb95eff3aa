# Dates as whole day numbers, in integers only, so that every engine counts alike.
package casewright.outcome

import rego.v1

_days_before_month := [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334]

_day_number(date) := number if {
	[year, month, day] := [to_number(trim_left(part, "0")) | some part in split(date, "-")]
	before := year - 1
	leap_days := (_quotient(before, 4) - _quotient(before, 100)) + _quotient(before, 400)
	number := ((((365 * before) + leap_days) + _days_before_month[month - 1]) + _leap_day(year, month)) + day
}

_quotient(number, divisor) := (number - (number % divisor)) / divisor

_leap_day(year, month) := 1 if {
	month > 2
	_leap_year(year)
} else := 0

_leap_year(year) if {
	year % 4 == 0
	year % 100 != 0
}

_leap_year(year) if year % 400 == 0
