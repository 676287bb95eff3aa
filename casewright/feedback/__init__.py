"""What people said of answers: kept with what they were about, exported as examples."""
